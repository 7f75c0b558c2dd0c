"""From looks at mpv to readings: what is shown, how what was shown before ended, what is wrong. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from contract.events import PlayStatus
from edge_agent.observation import Content, Reading, Showing, Trouble
from edge_agent.probes.connection import LostError
from edge_agent.probes.playback import Motion, Playback, PlayerLook, is_rendering
from edge_agent.probes.turns import Turns

FAILURE_KEPT_MS: Final = 60 * 60_000
"""A file that failed is in trouble until it plays, or has not failed again for this long."""
_MAX_FAILED: Final = 32


class _Failed(Struct, frozen=True):
    at_ms: int
    error: str


class PlayerView:
    """The view of one mpv, with a memory for what was shown and what failed before."""

    def __init__(self, *, screen: str, player: str, stuck_s: float) -> None:
        self._screen, self._player, self._stuck_s = screen, player, stuck_s
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

    def frozen(self, at_ms: int, lost: LostError) -> list[Reading]:
        """A frozen mpv leaves its last picture on screen; nobody knows for how long."""
        self._ailing = "hardware_failure"
        return [self._showing(at_ms, rendering=False), _lost(lost), *self._failures()]

    def gone(self, at_ms: int, lost: LostError, playback: Playback) -> list[Reading]:
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
            screen=self._screen,
            player=self._player,
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
        reason = f"{ref} has not moved for {self._stuck_s:g} s{where}"
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


def _lost(lost: LostError) -> Trouble:
    return Trouble(code=lost.code, reason=str(lost)[:512])
