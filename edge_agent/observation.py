"""What probes see: values without I/O, from which playlog, sessions and the agent make events.

`read()` of a probe returns its *whole* current view each time. What it no longer says is over: a trouble that is not
repeated has cleared, a player that is not repeated has not been seen.
"""

from __future__ import annotations

from msgspec import Struct

from contract.events import PlayStatus, ScreenState


class Content(Struct, frozen=True):
    """What is being shown: a normalised URL or file name, and the SHA-256 where the bytes can be read."""

    ref: str
    sha256: str | None = None


class Showing(Struct, frozen=True, kw_only=True):
    """One look at one player on one screen.

    `content` is None while the player shows nothing of its own (idle, blank, a failed load). `turn` rises each time the
    player starts a content anew, so that a clip in a loop counts each time. `ended` says how the content before this
    one ended, if the player told; without it a content that gives way to another one has ended well.
    """

    at_ms: int
    """CLOCK_BOOTTIME, ms."""
    screen: str
    player: str
    content: Content | None
    turn: int = 0
    listed: bool | None = None
    reported: bool | None = None
    rendering: bool | None = None
    ended: PlayStatus | None = None


class ScreenPower(Struct, frozen=True, kw_only=True):
    """One look at a screen's power. `panel_on` is None where the hardware cannot tell: connected is not lit."""

    at_ms: int
    screen: str
    state: ScreenState
    panel_on: bool | None = None
    brightness: int | None = None
    volume: int | None = None


class Vitals(Struct, frozen=True, kw_only=True):
    """One look at the machine's own condition; None is what this machine does not tell."""

    at_ms: int
    temperature_c: float | None = None
    undervoltage: bool | None = None
    storage_errors: int | None = None
    disk_free_bytes: int | None = None
    memory_available_bytes: int | None = None
    uptime_s: int | None = None
    signal_dbm: int | None = None


class Trouble(Struct, frozen=True, kw_only=True):
    """Something that does not work right now; a `fault` event when it first shows. `code` is one of `faults.CODES`."""

    code: str
    reason: str = ""


Reading = Showing | ScreenPower | Vitals | Trouble
