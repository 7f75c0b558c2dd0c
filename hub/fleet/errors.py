"""Why something is not asked of a device."""

from __future__ import annotations

from hub.errors import HubError


class BadSetting(HubError):
    """Change the setting: the text says which one, what is wrong with it, and what is expected."""


class NotCommanded(HubError):
    """Nothing was sent: there is no such device or command, or it is not yours."""
