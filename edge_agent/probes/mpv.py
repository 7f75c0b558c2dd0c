"""Looks at an mpv that plays media files: which file, started how often, whether it moves, how the one before ended.

One IPC connection stays open for as long as mpv lives. Its events (a file starts, ends, fails, loops; pause) end `wait`
early; each look asks a handful of properties. Files are hashed beside the work, the next one of the playlist ahead.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated, Final

from msgspec import Meta, Struct

from contract.ids import Name
from edge_agent.clock import boottime_ms
from edge_agent.observation import Reading
from edge_agent.probes.connection import ConnectedProbe, FrozenError, LostError
from edge_agent.probes.media import Media
from edge_agent.probes.mpv_session import MpvSession
from edge_agent.probes.playback import Motion, Playback, PlayerLook, may_lack_picture
from edge_agent.probes.player_view import PlayerView

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


class MpvProbe(ConnectedProbe[MpvSession]):
    """Reads one mpv. A read takes at most three times `timeout_s`, in most cases 2 ms, 0.4 s where a file has begun."""

    def __init__(self, settings: MpvSettings, *, now_ms: Callable[[], int] = boottime_ms) -> None:
        super().__init__(settings.player, settings.interval_s, now_ms)
        self._settings = settings
        self._playback = Playback(stuck_s=settings.stuck_s)
        self._media = Media(folder=settings.media_folder, keep_query=settings.keep_query, hashed=settings.hash_media)
        self._view = PlayerView(screen=settings.screen, player=settings.player, stuck_s=settings.stuck_s)

    def close(self) -> None:
        """Let go of mpv and stop hashing."""
        super().close()
        self._media.close()

    def _connect(self) -> MpvSession:
        settings = self._settings
        return MpvSession(
            settings.socket_path, timeout_s=settings.timeout_s, stuck_s=settings.stuck_s, now_ms=self._now_ms
        )

    def _begin(self, session: MpvSession) -> None:
        self._playback = session.playback  # outlives the connection: it may know how the last play ended
        self._view.connected()
        session.begin()

    def _look(self, session: MpvSession, at_ms: int) -> list[Reading]:  # noqa: ARG002 (a sample has its own time)
        look = session.sample()
        if session.playback.surprised_by(look):
            look = session.sample()
        begun_ms = look.at_ms
        motion = session.playback.see(look)
        if motion == "unknown":
            look, motion = self._await_first_move(session, look)
            self._prefetch(session, look)
        if motion == "moving" and may_lack_picture(look):
            look = session.look_for_picture(look)
        failed = self._failed(session)
        content = self._media.content(look.path, look.working_directory)
        return self._view.see(begun_ms, look, motion, session.playback, content, failed)

    def _without(self, lost: LostError, at_ms: int) -> list[Reading]:
        if isinstance(lost, FrozenError):
            return self._view.frozen(at_ms, lost)
        if self._connection is not None:
            self._connection.hear_last_words()
        return self._view.gone(at_ms, lost, self._playback)

    def _hear(self, session: MpvSession, timeout_s: float) -> bool:
        return session.hear(timeout_s)

    def _await_first_move(self, session: MpvSession, look: PlayerLook) -> tuple[PlayerLook, Motion]:
        """Look again until a video that has just begun moves, so that its play begins with this said."""
        motion: Motion = "unknown"
        end_s = time.monotonic() + _FIRST_MOVE_S
        playback = session.playback
        start = playback.starts
        while motion == "unknown" and _may_move(look) and time.monotonic() < end_s:
            if self._closing.wait(_FIRST_MOVE_STEP_S):
                break
            again = session.sample()
            if playback.starts != start or playback.surprised_by(again):
                break
            look, motion = again, playback.see(again)
        return look, motion

    def _prefetch(self, session: MpvSession, look: PlayerLook) -> None:
        """Have the file hashed that comes next, so that its play begins with its hash known."""
        if self._settings.hash_media:
            self._media.prefetch(session.next_paths(look), look.working_directory)

    def _failed(self, session: MpvSession) -> dict[str, str]:
        """The files that failed since the last look, by name, with mpv's reason."""
        failures, session.playback.failures = session.playback.failures, []
        if not failures:
            return {}
        paths = session.playlist()
        named = ((paths.get(failure.entry_id), failure) for failure in failures)
        return {
            self._media.name(path) if path else f"playlist entry {failure.entry_id}": failure.error
            for path, failure in named
        }


def _may_move(look: PlayerLook) -> bool:
    return look.path is not None and not (look.image or look.paused)
