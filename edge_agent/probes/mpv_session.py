"""One conversation with mpv: questions and their replies, and the events in between, which `Playback` takes.

What is asked in several questions may be answered of two files, if one starts meanwhile; its event tells, for it comes
between the replies.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

import msgspec
from msgspec import Struct

from edge_agent.probes.base import ProbeError
from edge_agent.probes.mpv_ipc import Line, MpvIpc, PlayerFrozenError, PlayerGoneError
from edge_agent.probes.playback import PROPERTIES, WAKING, Playback, PlayerLook, lacks_picture, parse_look

MAX_PLAYLIST: Final = 1000
"""A longer playlist is not asked for the names of files that failed."""
_SAMPLE_TRIES: Final = 3
_STILL_FROZEN_S: Final = 0.05
_LAST_WORDS_S: Final = 0.05


class _Entry(Struct, frozen=True):
    """One entry of mpv's playlist."""

    id: int
    filename: str


class MpvSession:
    """Every question raises PlayerGoneError, PlayerFrozenError after `timeout_s`, or ProbeError."""

    def __init__(self, socket_path: str, *, timeout_s: float, stuck_s: float, now_ms: Callable[[], int]) -> None:
        self._ipc = MpvIpc(socket_path, timeout_s=timeout_s)
        self._timeout_s, self._now_ms = timeout_s, now_ms
        self._replies: dict[int, Line] = {}
        self._unanswered: range | None = None
        self.playback = Playback(stuck_s=stuck_s)

    def begin(self) -> None:
        """Have mpv tell by itself of what is worth a look."""
        self._ipc.send([("observe_property", number, name) for number, name in enumerate(WAKING, 1)])

    def sample(self) -> PlayerLook:
        """One look at all properties; anew if a file has started meanwhile."""
        for _ in range(_SAMPLE_TRIES):
            starts = self.playback.starts
            replies = self._get(*PROPERTIES.values())
            if self.playback.starts == starts:
                break
        return parse_look(self._now_ms(), dict(zip(PROPERTIES, replies, strict=True)))

    def look_for_picture(self, look: PlayerLook) -> PlayerLook:
        """The same look with the file's tracks considered; unchanged if another file has started meanwhile."""
        start = self.playback.starts
        (tracks,) = self._get("track-list")
        if self.playback.starts != start:
            return look
        return msgspec.structs.replace(look, pictureless=lacks_picture(look, tracks))

    def next_paths(self, look: PlayerLook) -> list[str]:
        """What may be played after this: the next entry of the playlist, and the first."""
        if look.playing_index is None or look.playing_index < 0:
            return []
        replies = self._get(*(f"playlist/{place}/filename" for place in (look.playing_index + 1, 0)))
        return [reply.data for reply in replies if isinstance(reply.data, str)]

    def playlist(self) -> dict[int, str]:
        """The paths of all entries by their numbers; empty if there are too many."""
        (count,) = self._get("playlist-count")
        if not isinstance(count.data, int) or count.data > MAX_PLAYLIST:
            return {}
        (playlist,) = self._get("playlist")
        try:
            return {entry.id: entry.filename for entry in msgspec.convert(playlist.data, list[_Entry])}
        except msgspec.ValidationError:
            return {}

    def hear(self, timeout_s: float) -> bool:
        """Take what mpv tells next; whether it is worth a look. Raises PlayerGoneError, ProbeError."""
        return self._take(self._ipc.receive(timeout_s))

    def hear_last_words(self) -> None:
        """Take the events that mpv sent before it went: they tell whether it was asked to."""
        with suppress(PlayerGoneError, ProbeError):
            while lines := self._ipc.receive(_LAST_WORDS_S):
                self._take(lines)

    def close(self) -> None:
        """Hang up; whoever hears or asks in another thread gets a PlayerGoneError."""
        self._ipc.close()

    def _get(self, *properties: str) -> list[Line]:
        """The replies, in order. Those that mpv still owes from an earlier question are waited for first, briefly."""
        if self._unanswered is not None:
            self._await_replies(self._unanswered, _STILL_FROZEN_S)
        self._replies.clear()
        self._unanswered = ids = self._ipc.send([("get_property", name) for name in properties])
        self._await_replies(ids, self._timeout_s)
        return [self._replies[id_] for id_ in ids]

    def _await_replies(self, ids: range, timeout_s: float) -> None:
        end_s = time.monotonic() + timeout_s
        while ids[-1] not in self._replies:
            left_s = end_s - time.monotonic()
            if left_s <= 0:
                raise PlayerFrozenError(f"mpv has not answered for {timeout_s} s; its process is stopped or hangs")
            self._take(self._ipc.receive(left_s))
        self._unanswered = None

    def _take(self, lines: Sequence[Line]) -> bool:
        worth_a_look = False
        for line in lines:
            if line.event is not None:
                worth_a_look = self.playback.apply(line) or worth_a_look
            elif line.request_id is not None:
                self._replies[line.request_id] = line
        return worth_a_look
