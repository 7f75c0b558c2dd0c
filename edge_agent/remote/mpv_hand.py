"""Identify, snapshot and restart of an mpv, over an IPC connection of its own beside the probe's.

mpv writes pictures to files only, in their full size, so one is made in the folder of its socket, which both users may
write to, and its quality is lowered until it is small enough; the player's own setting is put back.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from contract.command import MAX_PICTURE_BYTES, Picture
from edge_agent.probes.base import ProbeError
from edge_agent.probes.connection import LostError
from edge_agent.probes.mpv import MpvSettings
from edge_agent.probes.mpv_ipc import MpvIpc, PlayerGoneError
from edge_agent.remote.hand import IDENTIFY_S, HandError

_ANSWER_S: Final = 8.0
_QUALITY: Final = "screenshot-jpeg-quality"
_QUALITIES: Final = (30, 15, 5, 1)


class MpvHand:
    """Of one mpv."""

    def __init__(self, settings: MpvSettings) -> None:
        self.name = settings.player
        self._socket = settings.socket_path

    def identify(self, lines: list[str]) -> None:
        """As Hand.identify, over the picture."""
        with self._player() as player:
            player.call("show-text", "\n".join(lines), IDENTIFY_S * 1000, 0)

    def snapshot(self) -> Picture:
        """As Hand.snapshot."""
        file = Path(self._socket).with_name(f"snapshot-{secrets.token_hex(8)}.jpg")
        with self._player() as player:
            own = player.call("get_property", _QUALITY)
            try:
                for quality in _QUALITIES:
                    player.call("set_property", _QUALITY, quality)
                    player.call("screenshot-to-file", str(file), "video")
                    body = self._taken(file)
                    if 0 < len(body) <= MAX_PICTURE_BYTES:
                        return Picture("image/jpeg", body)
            finally:
                player.call("set_property", _QUALITY, own)
        raise HandError(f"{self.name}: no picture of at most {MAX_PICTURE_BYTES} bytes could be made of the video")

    def restart(self) -> None:
        """As Hand.restart."""
        with self._player() as player:
            try:
                player.call("quit")
            except PlayerGoneError:
                return  # it is faster than its answer

    def _taken(self, file: Path) -> bytes:
        try:
            body = file.read_bytes()
            file.unlink()
        except OSError as error:
            text = f"{self.name}: {file}: {error.strerror}; agent and player need to share the socket's folder"
            raise HandError(text) from error
        return body

    @contextmanager
    def _player(self) -> Iterator[_Player]:
        try:
            ipc = MpvIpc(self._socket, timeout_s=_ANSWER_S)
        except (LostError, ProbeError) as error:
            raise HandError(f"{self.name}: {error}") from error
        try:
            yield _Player(ipc)
        except (LostError, ProbeError) as error:
            raise HandError(f"{self.name}: {error}") from error
        finally:
            ipc.close()


class _Player:
    """One conversation. Raises LostError, ProbeError, HandError."""

    def __init__(self, ipc: MpvIpc) -> None:
        self._ipc = ipc

    def call(self, *command: object) -> Any:
        """One command and what it gives back."""
        (request,) = self._ipc.send([command])
        end_s = time.monotonic() + _ANSWER_S
        while (left_s := end_s - time.monotonic()) > 0:
            for line in self._ipc.receive(left_s):
                if line.request_id == request:
                    if line.error != "success":
                        raise HandError(f"mpv refuses {command[0]}: {line.error}")
                    return line.data
        raise HandError(f"mpv has not answered {command[0]} within {_ANSWER_S:.0f} s; it is stopped or hangs")
