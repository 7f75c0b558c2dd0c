"""The version of this release: kiosk and hub are of one distribution."""

VERSION = "0.1.0"
