"""What can be wrong with a person or a token that somebody wants to make or change."""

from __future__ import annotations

from hub.errors import HubError


class PeopleRefused(HubError):
    """Nothing was changed. The text says what is wrong with it, and what is expected."""
