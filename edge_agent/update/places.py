"""Where everything of an update stands. Root's folders are root's alone; the inbox is the agent's."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal, NamedTuple

UNIT: Final = "ttdn-agent.service"
INBOX: Final = "update"
"""Within the agent's state folder."""
READY: Final = "ready.ttdn"
Side = Literal["a", "b"]


class Places(NamedTuple):
    """Folders and files; the defaults are those of the installer."""

    root: Path = Path("/opt/ttdn-agent")
    """The two virtual environments `a` and `b`; `current` runs, `good` is the last that was found to work."""
    state: Path = Path("/var/lib/ttdn-agent-update")
    agent_state: Path = Path("/var/lib/ttdn-agent")
    key: Path = Path("/etc/ttdn-agent/release.pub")
    config: Path = Path("/etc/ttdn-agent/agent.toml")

    @property
    def inbox(self) -> Path:
        """Where packages are put for root, by the agent's user."""
        return self.agent_state / INBOX

    @property
    def current(self) -> Path:
        """The link by which the service starts."""
        return self.root / "current"

    @property
    def good(self) -> Path:
        """The link by which root's own part of updates starts: never an untried version."""
        return self.root / "good"

    def side(self, side: Side) -> Path:
        """One of the virtual environments."""
        return self.root / side

    def side_of(self, link: Path) -> Side | None:
        """Where a link leads; None if it is not there, or leads elsewhere."""
        target = link.readlink().name if link.is_symlink() else ""
        if target == "a":
            return "a"
        return "b" if target == "b" else None


def other(side: Side) -> Side:
    """The side that does not run."""
    return "b" if side == "a" else "a"
