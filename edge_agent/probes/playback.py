"""What mpv's events and looks at its properties say of what it plays. Pure.

A video renders if its position was seen to move; a position that does not move for `stuck_s`, though nobody paused it,
is stuck. A still image has no position: it renders once mpv's output has taken it, paused or not, since a picture that
stands still is shown all the same. A file whose sound runs on though mpv shows none of its video tracks has no picture
and does not render; one that has only sound renders by its position. mpv tells of no frames that reached the screen, so
that audio which runs on over a picture that stands cannot be told from a video that plays.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec
from msgspec import Struct

from contract.events import PlayStatus
from edge_agent.probes.base import ProbeError
from edge_agent.probes.mpv_ipc import Line

PROPERTIES: Final = {
    "path": "path",
    "working_directory": "working-directory",
    "position_s": "time-pos",
    "duration_s": "duration",
    "paused": "pause",
    "core_idle": "core-idle",
    "playing_index": "playlist-playing-pos",
    "output_open": "vo-configured",
    "image": "current-tracks/video/image",
}
"""Fields of a look and the properties they are read from."""

WAKING: Final = ("pause", "core-idle")
"""Properties whose change is worth a look."""

_WAKING_EVENTS: Final = frozenset({"start-file", "end-file", "playback-restart", "property-change", "idle", "shutdown"})
_ENDINGS: Final[dict[str, PlayStatus]] = {
    "eof": "success",
    "stop": "success",
    "quit": "interrupted",
    "error": "content_failure",
}
_ENDINGS_KEPT: Final = 64
_NEAR_END_S: Final = 0.5

Motion = Literal["moving", "still", "stuck", "unknown"]


class PlayerLook(Struct, frozen=True, kw_only=True):
    """mpv's properties at one moment; None is what it does not have just now."""

    at_ms: int
    path: str | None = None
    working_directory: str | None = None
    position_s: float | None = None
    duration_s: float | None = None
    paused: bool | None = None
    core_idle: bool | None = None
    playing_index: int | None = None
    output_open: bool | None = None
    image: bool | None = None
    pictureless: bool = False
    """It has a video track, and mpv shows none; asked only where the other properties leave room for it."""


class _Track(Struct, frozen=True):
    """One track of the file; the cover of a piece of music counts to mpv as video."""

    type: str
    selected: bool = False
    albumart: bool = False


class Failure(Struct, frozen=True):
    """A file that mpv could not play: its number in mpv's playlist, and why."""

    entry_id: int
    error: str


def parse_look(at_ms: int, replies: dict[str, Line]) -> PlayerLook:
    """One look out of the replies, keyed by field. Raises ProbeError if a property has not the type it should have."""
    values = {field: reply.data for field, reply in replies.items() if reply.error == "success"}
    try:
        return msgspec.convert({"at_ms": at_ms, **values}, PlayerLook)
    except msgspec.ValidationError as error:
        raise _unexpected(error) from error


def is_rendering(look: PlayerLook, motion: Motion) -> bool | None:
    """Whether pictures reach mpv's output. None is a video that has begun and was not seen to move yet."""
    if look.image:
        return bool(look.output_open) and look.position_s is not None
    if look.paused or look.pictureless:
        return False
    return {"moving": True, "still": False, "stuck": False, "unknown": None}[motion]


def may_lack_picture(look: PlayerLook) -> bool:
    """Whether no video track is on, or no output is open: only the tracks tell that from a file with sound alone."""
    return look.path is not None and (look.image is None or look.output_open is False)


def lacks_picture(look: PlayerLook, tracks: Line) -> bool:
    """Whether the file has a video and nothing of it can be seen, by the reply to `track-list`. Raises ProbeError."""
    if tracks.error != "success":
        return False
    try:
        known = msgspec.convert(tracks.data, list[_Track])
    except msgspec.ValidationError as error:
        raise _unexpected(error) from error
    videos = [track for track in known if track.type == "video" and not track.albumart]
    shown = look.output_open is not False and any(track.selected for track in videos)
    return bool(videos) and not shown


def _unexpected(error: msgspec.ValidationError) -> ProbeError:
    return ProbeError(f"a property of mpv has an unexpected type ({error}); this needs mpv 0.35 or later")


class Playback:
    """Follows one connection to mpv: which start of a file is on, how often it looped, whether it moves."""

    def __init__(self, *, stuck_s: float) -> None:
        self._stuck_ms = round(stuck_s * 1000)
        self.starts = 0
        """Files that mpv told it has started, since the connection was made."""
        self.seen_start = 0
        """The start that the last look belongs to."""
        self.loops = 0
        self.failures: list[Failure] = []
        """Files that failed since somebody emptied this list."""
        self._endings: dict[int, PlayStatus] = {}
        self._seeking = False
        self._seeks = 0
        self._before: PlayerLook | None = None
        self._moved_ms: int | None = None
        self._began_ms = 0

    def apply(self, line: Line) -> bool:
        """Take one event; whether it is worth a look."""
        match line.event:
            case "start-file":
                self.starts += 1
                self._seeking = False
            case "end-file":
                self._end(line)
            case "seek":
                self._seeking = True
            case "playback-restart":
                self._seeks += self._seeking
                self._seeking = False
        return line.event in _WAKING_EVENTS

    def ending_of(self, start: int) -> PlayStatus | None:
        """How the file that was the `start`-th to start has ended, if mpv told."""
        return self._endings.get(start)

    def surprised_by(self, look: PlayerLook) -> bool:
        """Whether a file seems to have changed without an event. The event comes after the replies then: look again."""
        before = self._before
        if before is None or self.starts != self.seen_start:
            return False
        return look.path != before.path or (look.position_s or 0) < (before.position_s or 0)

    def see(self, look: PlayerLook) -> Motion:
        """Take one look and compare it with the one before."""
        if self._before is None or self.starts != self.seen_start or self._before.path != look.path:
            self._begin(look)
            return "unknown"
        if look.position_s is not None and look.position_s != self._before.position_s:
            self._moved_ms = look.at_ms
        if not self._seeking:
            # A position in the middle of a jump belongs to neither side of it.
            looped = loops_between(self._before, look, self._seeks)
            self.loops += looped
            self._moved_ms = look.at_ms if looped else self._moved_ms
            self._before, self._seeks = look, 0
        return self._motion(look)

    def _begin(self, look: PlayerLook) -> None:
        self._before, self.seen_start = look, self.starts
        self._seeks = 0
        self._moved_ms, self._began_ms = None, look.at_ms

    def _motion(self, look: PlayerLook) -> Motion:
        if look.paused:
            self._began_ms = look.at_ms
            return "still"
        still_ms = look.at_ms - max(self._moved_ms or 0, self._began_ms)
        if still_ms >= self._stuck_ms:
            return "stuck"
        if self._moved_ms is None:
            return "unknown"  # idle or not: it is still being opened, and nothing was seen to stand
        return "still" if look.core_idle else "moving"

    def _end(self, line: Line) -> None:
        if line.reason in _ENDINGS:
            self._endings[self.starts] = _ENDINGS[line.reason]
            while len(self._endings) > _ENDINGS_KEPT:
                del self._endings[next(iter(self._endings))]
        if line.reason == "error" and line.playlist_entry_id is not None:
            self.failures.append(Failure(line.playlist_entry_id, line.file_error or "unknown error"))


def loops_between(before: PlayerLook, now: PlayerLook, seeks: int) -> int:
    """How often the file began anew between two looks at the same start of it (`--loop-file`).

    mpv then jumps back as if somebody had sought, without starting the file. It was a loop if, left alone, the position
    would have reached the end, and is now no further from the beginning than the time that has passed.
    """
    if before.position_s is None or now.position_s is None or not now.duration_s:
        return 0
    passed_s = (now.at_ms - before.at_ms) / 1000
    near_s = min(_NEAR_END_S, now.duration_s / 4)
    if before.position_s + passed_s < now.duration_s - near_s or now.position_s > passed_s + near_s:
        return 0
    if not seeks:
        return int(now.position_s < before.position_s)
    return min(seeks, int(passed_s / now.duration_s) + 1)
