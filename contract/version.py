"""The version of this release: kiosk and hub are of one distribution."""

VERSION = "0.1.0"
RELEASED = "2026-11-23"
"""Day of this release, UTC: no machine that runs it is in an earlier one, whatever its clock says."""
