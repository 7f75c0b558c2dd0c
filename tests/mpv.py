"""A real mpv without a window, and clips that it makes itself."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Final, Self

import pytest

from edge_agent.probes.mpv_ipc import MpvIpc, PlayerGoneError

INSTALL: Final = "apt-get install -y --no-install-recommends mpv"
_START_S: Final = 30.0


def program() -> str:
    """Where mpv is. Fails the test if it is not installed."""
    found = shutil.which("mpv")
    if found is None:
        pytest.fail(f"mpv is not installed; install it with: {INSTALL}")
    return found


def make_clip(file: Path, seconds: float) -> Path:
    """A silent test picture of so many seconds, 10 frames a second."""
    source = f"av://lavfi:testsrc=duration={seconds}:size=160x120:rate=10"
    return _encode(source, file, "--ovc=mpeg4")


def make_sound(file: Path, seconds: float) -> Path:
    """A tone without a picture."""
    return _encode(f"av://lavfi:sine=duration={seconds}", file, "--oac=pcm_s16le")


def make_film(file: Path, seconds: float) -> Path:
    """A test picture with a tone."""
    graph = f"testsrc=duration={seconds}:size=160x120:rate=10[out0];sine=duration={seconds}[out1]"
    return _encode(f"av://lavfi:{graph}", file, "--ovc=mpeg4", "--oac=pcm_s16le")


def make_image(file: Path) -> Path:
    """A PNG."""
    source = "av://lavfi:testsrc=duration=0.1:size=160x120:rate=10"
    return _encode(source, file, "--of=image2", "--ovc=png", "--frames=1")


def make_stuck_clip(file: Path, seconds: float) -> Path:
    """A clip with its middle third destroyed: mpv neither plays nor leaves it."""
    data = bytearray(make_clip(file, seconds).read_bytes())
    middle = slice(len(data) // 3, len(data) * 2 // 3)
    data[middle] = bytes((byte * 7 + 13) & 0xFF for byte in data[middle])
    file.write_bytes(data)
    return file


def _encode(source: str, file: Path, *options: str) -> Path:
    subprocess.run(
        [program(), "--no-config", source, f"--o={file}", *options], check=True, capture_output=True, timeout=60
    )
    return file


class MpvProcess:
    """One idle mpv with an IPC socket; it can be killed, frozen and started again."""

    def __init__(self, folder: Path) -> None:
        self.socket_path = str(folder / "mpv.sock")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def start(self, *arguments: str) -> Self:
        """Start it with options and files, and wait until it takes connections."""
        self._process = subprocess.Popen(
            [
                program(),
                "--no-config",
                "--no-terminal",
                "--idle=yes",
                "--vo=null",
                "--ao=null",
                f"--input-ipc-server={self.socket_path}",
                *arguments,
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + _START_S
        while not self._answers():
            assert self._process.poll() is None, "mpv ended while it started"
            assert time.monotonic() < deadline, "mpv has not opened its socket"
            time.sleep(0.02)
        return self

    def command(self, *command: object) -> None:
        """One IPC command, over a connection of its own."""
        ipc = MpvIpc(self.socket_path, timeout_s=20)
        try:
            (request,) = ipc.send([command])
            deadline = time.monotonic() + 20
            while request not in {line.request_id for line in ipc.receive(1)}:
                assert time.monotonic() < deadline, f"no reply to {command}"
        finally:
            ipc.close()

    def freeze(self) -> None:
        """SIGSTOP."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL: its socket's file stays."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def _answers(self) -> bool:
        try:
            MpvIpc(self.socket_path, timeout_s=5).close()
        except PlayerGoneError:
            return False
        return True
