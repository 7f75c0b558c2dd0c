"""Looks at an mpv that plays media files: which file, started how often, whether it moves, how the one before ended.

One IPC connection stays open for as long as mpv lives. Its events (a file starts, ends, fails, loops; pause) end `wait`
early; each look asks a handful of properties. Files are hashed beside the work, the next one of the playlist ahead.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Final
from urllib.parse import unquote_to_bytes

import msgspec
from msgspec import Meta, Struct

from contract.events import PlayStatus
from contract.ids import Name
from edge_agent.clock import boottime_ms
from edge_agent.content_ref import file_ref, is_url, url_ref
from edge_agent.media_hash import MediaHashes
from edge_agent.observation import Content, Reading, Showing, Trouble
from edge_agent.probes.base import ProbeError
from edge_agent.probes.mpv_ipc import Line, MpvIpc, PlayerFrozenError, PlayerGoneError, PlayerLostError
from edge_agent.probes.playback import (
    PROPERTIES,
    WAKING,
    Motion,
    Playback,
    PlayerLook,
    lacks_picture,
    may_lack_picture,
    parse_look,
)
from edge_agent.probes.turns import Turns

MIN_GAP_S: Final = 0.1
"""However much mpv tells, it is looked at no more often than this."""
MAX_PLAYLIST: Final = 1000
"""A longer playlist is not asked for the names of files that failed."""
FAILURE_KEPT_MS: Final = 60 * 60_000
"""A file that failed is in trouble until it plays, or has not failed again for this long."""

_MAX_FAILED: Final = 32
_SAMPLE_TRIES: Final = 3
_STILL_FROZEN_S: Final = 0.05
_FIRST_MOVE_S: Final = 0.4
_FIRST_MOVE_STEP_S: Final = 0.05


class MpvSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """An mpv started with `--input-ipc-server=<socket_path>`."""

    socket_path: Annotated[str, Meta(min_length=1, max_length=107, description="mpv's IPC socket.")] = (
        "/run/ttdn-screen/mpv.sock"
    )
    media_folder: Annotated[
        str, Meta(description="Files in it are named by their path within it, others by base name; empty: all.")
    ] = ""
    screen: Annotated[Name, Meta(description="The screen that mpv's window is on.")] = "main"
    player: Annotated[Name, Meta(description="This mpv's name in plays and faults.")] = "mpv"
    interval_s: Annotated[float, Meta(ge=0.2, le=60, description="Seconds between two looks.")] = 1.0
    timeout_s: Annotated[
        float, Meta(ge=0.2, le=30, description="Seconds without an answer after which mpv counts as frozen.")
    ] = 2.0
    stuck_s: Annotated[
        float,
        Meta(ge=1, le=600, description="Seconds a position may stand still; longer than any one picture of a video."),
    ] = 5.0
    hash_media: Annotated[bool, Meta(description="Compute the SHA-256 of local files.")] = True
    keep_query: Annotated[
        tuple[str, ...], Meta(description="Keys of a stream URL's query that tell contents apart; others are dropped.")
    ] = ()


class _Entry(Struct, frozen=True):
    """One entry of mpv's playlist."""

    id: int
    filename: str


class _Failed(Struct, frozen=True):
    at_ms: int
    error: str


class MpvProbe:
    """Reads one mpv. A read takes at most three times `timeout_s`, in most cases 2 ms, 0.4 s where a file has begun."""

    def __init__(self, settings: MpvSettings, *, now_ms: Callable[[], int] = boottime_ms) -> None:
        self.name = settings.player
        self.interval_s = settings.interval_s
        self._settings, self._now_ms = settings, now_ms
        self._ipc: MpvIpc | None = None
        self._playback = Playback(stuck_s=settings.stuck_s)
        self._hashes = MediaHashes() if settings.hash_media else None
        self._view = PlayerView(settings)
        self._replies: dict[int, Line] = {}
        self._unanswered: range | None = None
        self._problem: ProbeError | None = None
        self._read_at_s = 0.0
        self._closing = threading.Event()

    def read(self) -> Sequence[Reading]:
        """What mpv plays, and what is wrong. Raises ProbeError."""
        at_ms = self._now_ms()
        try:
            return self._read_player(self._connected())
        except PlayerFrozenError as frozen:
            return self._view.frozen(at_ms, frozen)
        except PlayerGoneError as gone:
            self._hear_last_words()
            self._disconnect()
            return self._view.gone(at_ms, gone, self._playback)
        except ProbeError:
            self._disconnect()
            raise
        finally:
            self._read_at_s = time.monotonic()

    def wait(self, timeout_s: float) -> None:
        """Return when mpv tells of a change, at the earliest 0.1 s after the last read."""
        now_s = time.monotonic()
        end_s, earliest_s = now_s + timeout_s, min(self._read_at_s + MIN_GAP_S, now_s + timeout_s)
        ipc = self._ipc
        if ipc is None:
            self._closing.wait(timeout_s)
            return
        woken = False
        while (left_s := (earliest_s if woken else end_s) - time.monotonic()) > 0 and not self._closing.is_set():
            try:
                woken = self._take(ipc.receive(left_s)) or woken
            except PlayerLostError:
                return
            except ProbeError as problem:
                self._problem = problem
                return

    def close(self) -> None:
        """Let go of mpv and stop hashing."""
        self._closing.set()
        self._disconnect()
        if self._hashes is not None:
            self._hashes.close()

    def _connected(self) -> MpvIpc:
        problem, self._problem = self._problem, None
        if problem is not None:
            raise problem
        if self._ipc is None:
            ipc = MpvIpc(self._settings.socket_path, timeout_s=self._settings.timeout_s)
            self._ipc, self._unanswered = ipc, None
            self._playback = Playback(stuck_s=self._settings.stuck_s)
            self._view.connected()
            ipc.send([("observe_property", number, name) for number, name in enumerate(WAKING, 1)])
        return self._ipc

    def _disconnect(self) -> None:
        ipc, self._ipc = self._ipc, None
        if ipc is not None:
            ipc.close()

    def _hear_last_words(self) -> None:
        """Take the events that mpv sent before it went: they tell whether it was asked to."""
        try:
            while self._ipc is not None:
                if not (lines := self._ipc.receive(_STILL_FROZEN_S)):
                    return
                self._take(lines)
        except (PlayerLostError, ProbeError):
            return

    def _read_player(self, ipc: MpvIpc) -> list[Reading]:
        look = self._sample(ipc)
        if self._playback.surprised_by(look):
            look = self._sample(ipc)
        begun_ms = look.at_ms
        motion = self._playback.see(look)
        if motion == "unknown":
            look, motion = self._await_first_move(ipc, look)
            self._prefetch(ipc, look)
        if motion == "moving" and may_lack_picture(look):
            look = self._look_for_picture(ipc, look)
        failed = self._failed(ipc)
        return self._view.see(begun_ms, look, motion, self._playback, self._content(look), failed)

    def _sample(self, ipc: MpvIpc) -> PlayerLook:
        """One look at all properties; anew if a file has started meanwhile, since they may be of either file."""
        for _ in range(_SAMPLE_TRIES):
            starts = self._playback.starts
            replies = self._ask(ipc, [("get_property", name) for name in PROPERTIES.values()])
            if self._playback.starts == starts:
                break
        return parse_look(self._now_ms(), dict(zip(PROPERTIES, replies, strict=True)))

    def _await_first_move(self, ipc: MpvIpc, look: PlayerLook) -> tuple[PlayerLook, Motion]:
        """Look again until a video that has just begun moves, so that its play begins with this said."""
        motion: Motion = "unknown"
        end_s = time.monotonic() + _FIRST_MOVE_S
        start = self._playback.starts
        while motion == "unknown" and _may_move(look) and time.monotonic() < end_s:
            if self._closing.wait(_FIRST_MOVE_STEP_S):
                break
            again = self._sample(ipc)
            if self._playback.starts != start or self._playback.surprised_by(again):
                break
            look, motion = again, self._playback.see(again)
        return look, motion

    def _look_for_picture(self, ipc: MpvIpc, look: PlayerLook) -> PlayerLook:
        """The same look with the file's tracks considered; unchanged if another file has started meanwhile."""
        start = self._playback.starts
        (tracks,) = self._ask(ipc, [("get_property", "track-list")])
        if self._playback.starts != start:
            return look
        return msgspec.structs.replace(look, pictureless=lacks_picture(look, tracks))

    def _ask(self, ipc: MpvIpc, commands: Sequence[Sequence[object]]) -> list[Line]:
        """Send commands and wait for all replies; take the events in between. Raises PlayerLostError, ProbeError."""
        if self._unanswered is not None:
            self._await_replies(ipc, self._unanswered, _STILL_FROZEN_S)
        self._replies.clear()
        self._unanswered = ids = ipc.send(commands)
        self._await_replies(ipc, ids, self._settings.timeout_s)
        return [self._replies[id_] for id_ in ids]

    def _await_replies(self, ipc: MpvIpc, ids: range, timeout_s: float) -> None:
        end_s = time.monotonic() + timeout_s
        while ids[-1] not in self._replies:
            left_s = end_s - time.monotonic()
            if left_s <= 0:
                raise PlayerFrozenError(f"mpv has not answered for {timeout_s} s; its process is stopped or hangs")
            self._take(ipc.receive(left_s))
        self._unanswered = None

    def _take(self, lines: Sequence[Line]) -> bool:
        worth_a_look = False
        for line in lines:
            if line.event is not None:
                worth_a_look = self._playback.apply(line) or worth_a_look
            elif line.request_id is not None:
                self._replies[line.request_id] = line
        return worth_a_look

    def _content(self, look: PlayerLook) -> Content | None:
        if look.path is None:
            return None
        path = local_path(look.path, look.working_directory)
        if path is None:
            return Content(url_ref(look.path, self._settings.keep_query))
        sha256 = self._hashes.lookup(path) if self._hashes is not None else None
        return Content(file_ref(path, self._settings.media_folder), sha256)

    def _prefetch(self, ipc: MpvIpc, look: PlayerLook) -> None:
        """Have the file hashed that comes next, so that its play begins with its hash known."""
        if self._hashes is None or look.playing_index is None or look.playing_index < 0:
            return
        places = (look.playing_index + 1, 0)
        for reply in self._ask(ipc, [("get_property", f"playlist/{place}/filename") for place in places]):
            path = local_path(reply.data, look.working_directory) if isinstance(reply.data, str) else None
            if path is not None:
                self._hashes.lookup(path)

    def _failed(self, ipc: MpvIpc) -> dict[str, str]:
        """The files that failed since the last look, by name, with mpv's reason."""
        failures, self._playback.failures = self._playback.failures, []
        if not failures:
            return {}
        names = {entry.id: entry.filename for entry in self._playlist(ipc)}
        named = ((names.get(failure.entry_id), failure) for failure in failures)
        return {
            _file_name(name, self._settings) if name else f"playlist entry {failure.entry_id}": failure.error
            for name, failure in named
        }

    def _playlist(self, ipc: MpvIpc) -> list[_Entry]:
        (count,) = self._ask(ipc, [("get_property", "playlist-count")])
        if not isinstance(count.data, int) or count.data > MAX_PLAYLIST:
            return []
        (playlist,) = self._ask(ipc, [("get_property", "playlist")])
        try:
            return msgspec.convert(playlist.data, list[_Entry])
        except msgspec.ValidationError:
            return []


class PlayerView:
    """From looks to readings, with a memory for what was shown and what failed before. Pure."""

    def __init__(self, settings: MpvSettings) -> None:
        self._settings = settings
        self._turns = Turns()
        self._connection = 0
        self._start = 0
        self._content: Content | None = None
        self._ailing: PlayStatus | None = None
        """How what is shown will have ended if it ends now, because the last look found it stuck or mpv frozen."""
        self._failed: dict[str, _Failed] = {}

    def connected(self) -> None:
        """What follows comes from another mpv, or may have changed unseen."""
        self._connection += 1
        self._failed.clear()

    def see(
        self,
        at_ms: int,
        look: PlayerLook,
        motion: Motion,
        playback: Playback,
        content: Content | None,
        failed: dict[str, str],
    ) -> list[Reading]:
        """What mpv plays."""
        key = (self._connection, playback.seen_start, playback.loops) if content is not None else None
        self._turns.see(key, self._ailing or playback.ending_of(self._start) or "success")
        self._content, self._start = content, playback.seen_start
        rendering = is_rendering(look, motion)
        stuck = content is not None and motion == "stuck" and not rendering
        self._ailing = "content_failure" if stuck else None
        self._note_failures(at_ms, failed, playing=content.ref if content and rendering else None)
        showing = self._showing(
            at_ms,
            listed=True if look.playing_index is not None and look.playing_index >= 0 else None,
            reported=True,
            rendering=rendering,
        )
        troubles = self._stuck(look) if stuck else self._no_picture(look)
        return [showing, *troubles, *self._failures()]

    def frozen(self, at_ms: int, lost: PlayerLostError) -> list[Reading]:
        """A frozen mpv leaves its last picture on screen; nobody knows for how long."""
        self._ailing = "hardware_failure"
        return [self._showing(at_ms, rendering=False), _lost(lost), *self._failures()]

    def gone(self, at_ms: int, lost: PlayerLostError, playback: Playback) -> list[Reading]:
        """Without mpv nothing of it is on screen. An mpv that was asked to quit has told so."""
        ending = self._ailing or playback.ending_of(self._start) or "hardware_failure"
        self._turns.see(None, ending)
        self._content, self._ailing = None, None
        self._failed.clear()
        return [self._showing(at_ms), _lost(lost)]

    def _showing(
        self, at_ms: int, *, listed: bool | None = None, reported: bool | None = None, rendering: bool | None = None
    ) -> Showing:
        shown = self._content is not None
        return Showing(
            at_ms=at_ms,
            screen=self._settings.screen,
            player=self._settings.player,
            content=self._content,
            turn=self._turns.number,
            listed=listed if shown else None,
            reported=reported if shown else None,
            rendering=rendering if shown else None,
            ended=self._turns.ended,
        )

    def _stuck(self, look: PlayerLook) -> Iterator[Trouble]:
        ref = self._content.ref if self._content else ""
        where = "" if look.position_s is None else f" at {look.position_s:.1f} s"
        reason = f"{ref} has not moved for {self._settings.stuck_s:g} s{where}"
        yield Trouble(code="video_stuck", reason=reason[:512])

    def _no_picture(self, look: PlayerLook) -> Iterator[Trouble]:
        if self._content is not None and look.pictureless:
            why = "its video track is switched off" if look.output_open else "no video output is open"
            yield Trouble(code="no_picture", reason=f"{self._content.ref} runs without a picture: {why}"[:512])

    def _note_failures(self, at_ms: int, failed: dict[str, str], *, playing: str | None) -> None:
        for name, error in failed.items():
            self._failed.pop(name, None)
            self._failed[name] = _Failed(at_ms, error)
        self._failed = {
            name: failure
            for name, failure in list(self._failed.items())[-_MAX_FAILED:]
            if name != playing and at_ms - failure.at_ms < FAILURE_KEPT_MS
        }

    def _failures(self) -> Iterator[Trouble]:
        if self._failed:
            reason = "; ".join(f"{name}: {failure.error}" for name, failure in sorted(self._failed.items()))
            yield Trouble(code="media_failed", reason=reason[:512])


def is_rendering(look: PlayerLook, motion: Motion) -> bool | None:
    """Whether pictures reach mpv's output. None is a video that has begun and was not seen to move yet."""
    if look.image:
        return bool(look.output_open) and look.position_s is not None
    if look.paused or look.pictureless:
        return False
    return {"moving": True, "still": False, "stuck": False, "unknown": None}[motion]


def local_path(path: str, working_directory: str | None) -> str | None:
    """The file that mpv's `path` means on this machine; None for a stream."""
    if path.startswith("file://"):
        return os.fsdecode(unquote_to_bytes(path.removeprefix("file://").encode("utf-8", "surrogateescape")))
    if is_url(path):
        return None
    return os.path.join(working_directory or "/", path)  # noqa: PTH118 (mpv's names, kept byte for byte)


def _file_name(path: str, settings: MpvSettings) -> str:
    local = local_path(path, None)
    return url_ref(path) if local is None else file_ref(local, settings.media_folder)


def _may_move(look: PlayerLook) -> bool:
    return look.path is not None and not (look.image or look.paused)


def _lost(lost: PlayerLostError) -> Trouble:
    return Trouble(code=lost.code, reason=str(lost)[:512])
