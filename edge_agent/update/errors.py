"""Why a package is not installed."""

from __future__ import annotations

from edge_agent.errors import AgentFailed


class Refused(AgentFailed):
    """This package is not for this device, not signed by whom it should be, or has no room; nothing was changed."""


class NotInstalled(AgentFailed):
    """It is for this device, and still could not be installed; nothing was changed."""
