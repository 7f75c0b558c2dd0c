"""A real kiosk and a real video board, where Chromium and mpv are installed: real players under the real agent.

Both are processes with configuration files, as in a cabinet at the border; only their screens are missing.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from contract.content_ref import file_ref, url_ref
from edge_agent import status_file
from edge_agent.observation import Content
from edge_agent.probes.devtools import PORT_FILE, parse_port_file
from simulator.border import Device
from simulator.catalogue_file import RealItem
from simulator.child import Child
from simulator.errors import SimulatorError
from simulator.place import Place
from simulator.ports import HOST, free_port
from simulator.site_server import SiteServer
from simulator.touching import Touching


class _Clip(NamedTuple):
    """A test picture of mpv's, and what it stands for."""

    source: str
    title_vi: str


_START_S: Final = 30.0
_MAX_SOCKET_BYTES: Final = 107
_CLIPS: Final = {
    "hinh_anh_van_hoa/le-hoi-long-tong_vi.mp4": _Clip("testsrc=duration=6", "Lễ hội Lồng Tồng"),
    "kinh_te_xa_hoi/cua-khau-so_en.mp4": _Clip("smptebars=duration=8", "Cửa khẩu số"),
    "bien_gioi_hoa_binh/bien-gioi-hoa-binh-huu-nghi_vi.mp4": _Clip(
        "rgbtestsrc=duration=5", "Biên giới hòa bình, hữu nghị"
    ),
}
_CHROMIUM: Final = (
    "--headless=new",
    "--no-sandbox",  # it shows our own pages only, and root and most containers have no sandbox
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--mute-audio",
    "--force-prefers-reduced-motion",  # drawing without a graphics card costs a whole processor
    "--window-size=1080,1920",
    "--remote-debugging-port=0",
)
_AGENT: Final = """\
device = {device}
state_folder = {state}
runtime_folder = {runtime}
[mqtt]
password_file = {password_file}
brokers = [{{host = "{host}", port = {port}, tls = false}}]
"""


class RealDeviceError(SimulatorError):
    """A player that is installed does not start. The text names it, its log, and what it said."""


class RealDevice(Protocol):
    """A device with a real player."""

    device: Device

    def prepare(self) -> list[RealItem]:
        """Make what it will show, and say for the catalogue what that is. RealDeviceError if it cannot be made."""

    def start(self) -> None:
        """Start player and agent; RealDeviceError if the player does not start. Main thread only."""

    def online(self) -> bool:
        """Whether its agent says that it is connected."""

    def waiting(self) -> int:
        """Events in its outbox."""

    def finish(self) -> None:
        """Ask the agent to end and to bring out what it holds."""

    def wait(self, timeout_s: float) -> int:
        """Wait for that; 0 if the hub has everything."""

    def kill(self) -> None:
        """End all at once."""


class _WithAgent:
    """The agent of a real device."""

    def __init__(self, device: Device, place: Place, broker_port: int) -> None:
        self.device, self.place, self._broker_port = device, place, broker_port
        self._config = place.folder / "agent.toml"
        command = [sys.executable, "-m", "simulator.journaled_agent"]
        command += ["--config", str(self._config), "--journal", str(place.journal)]
        self._agent = Child(command, place.folder / "agent.log")

    def online(self) -> bool:
        status = status_file.read(self.place.runtime)
        return self._agent.running and status is not None and status.connected

    def waiting(self) -> int:
        status = status_file.read(self.place.runtime)
        return status.queue.events if status is not None else 0

    def finish(self) -> None:
        self._agent.terminate()

    def wait(self, timeout_s: float) -> int:
        ended = self._agent.wait(timeout_s)
        return 0 if ended and self._agent.exit_code == 0 else max(self.waiting(), 1)

    def _start_agent(self, more: str) -> None:
        place = self.place
        paths = {"state": place.state, "runtime": place.runtime, "password_file": place.password_file}
        quoted = {name: json.dumps(str(value)) for name, value in (paths | {"device": place.device}).items()}
        head = _AGENT.format(**quoted, host=HOST, port=self._broker_port)
        self._config.write_text(f"{head}{more}[probes.system]\n", encoding="utf-8")
        self._agent.start()


class RealKiosk(_WithAgent):
    """The demo kiosk's site in a headless Chromium, touched now and then."""

    def __init__(self, device: Device, place: Place, broker_port: int) -> None:
        super().__init__(device, place, broker_port)
        self._profile = place.folder / "chromium"
        self._browser: Child | None = None
        self._site = SiteServer()
        self._touching: Touching | None = None

    def prepare(self) -> list[RealItem]:
        """The site, at an address that is free now."""
        self._site.__enter__()
        content = Content(url_ref(f"{self._site.origin}/"))
        return [RealItem(content, "quan_ly_ttdn", "mul", "Trang của tủ tra cứu (thật)")]

    def start(self) -> None:
        """Agent, browser, visitors."""
        bridge_port = free_port()
        self._start_agent(
            f'[bridge]\nenabled = true\nport = {bridge_port}\norigins = ["{self._site.origin}"]\nidle_s = 20\n'
            f"[probes.chromium]\nuser_data_dir = {json.dumps(str(self._profile))}\n"
        )
        url = f"{self._site.origin}/?agent=http://{HOST}:{bridge_port}/ttdn.js"
        self._start_browser(url)
        self._touching = Touching(self._profile)
        self._touching.start()

    def finish(self) -> None:
        """As RealDevice.finish; nobody touches it any more."""
        if self._touching is not None:
            self._touching.stop()
        super().finish()

    def kill(self) -> None:
        """End all at once."""
        if self._touching is not None:
            self._touching.stop()
        self._agent.kill()
        if self._browser is not None:
            self._browser.kill()
        self._site.close()

    def _start_browser(self, url: str) -> None:
        shutil.rmtree(self._profile, ignore_errors=True)
        command = ["chromium", *_CHROMIUM, f"--user-data-dir={self._profile}", url]
        self._browser = Child(command, self.place.folder / "chromium.log")
        self._browser.start()
        port_file = self._profile / PORT_FILE
        _wait_for(self._browser, "Chromium", lambda: port_file.exists() and parse_port_file(port_file.read_text()))


class RealBoard(_WithAgent):
    """mpv without a window, with clips that it has made itself."""

    def __init__(self, device: Device, place: Place, broker_port: int) -> None:
        super().__init__(device, place, broker_port)
        self._media = place.folder / "media"
        self._player: Child | None = None

    def prepare(self) -> list[RealItem]:
        """The clips. Their bytes are not those of the simulated boards, so they are contents of their own."""
        return [self._item(name, clip) for name, clip in _CLIPS.items()]

    def start(self) -> None:
        """Player, agent."""
        clips = [self._media / name for name in _CLIPS]
        socket = _short(self.place.folder / "mpv.sock")
        command = ["mpv", "--no-config", "--no-terminal", "--idle=yes", "--vo=null", "--ao=null"]
        command += ["--loop-playlist=inf", f"--input-ipc-server={socket}", *map(str, clips)]
        self._player = Child(command, self.place.folder / "mpv.log")
        with suppress(FileNotFoundError):
            socket.unlink()
        self._player.start()
        _wait_for(self._player, "mpv", socket.exists)
        self._start_agent(
            f"[probes.mpv]\nsocket_path = {json.dumps(str(socket))}\nmedia_folder = {json.dumps(str(self._media))}\n"
        )

    def kill(self) -> None:
        """End all at once."""
        self._agent.kill()
        if self._player is not None:
            self._player.kill()

    def _item(self, name: str, clip: _Clip) -> RealItem:
        file = self._clip(name, clip.source)
        content = Content(file_ref(str(file), str(self._media)), hashlib.sha256(file.read_bytes()).hexdigest())
        topic, language = name.partition("/")[0], file.stem.rpartition("_")[2]
        return RealItem(content, topic, language, f"{clip.title_vi} (bản của màn hình thật)")

    def _clip(self, name: str, source: str) -> Path:
        file = self._media / name
        if file.exists():
            return file
        file.parent.mkdir(parents=True, exist_ok=True)
        aside = file.with_suffix(".new.mp4")
        command = ["mpv", "--no-config", f"av://lavfi:{source}:size=160x120:rate=10", f"--o={aside}", "--ovc=mpeg4"]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
        if done.returncode != 0:
            said = (done.stdout + done.stderr).decode(errors="replace").strip().splitlines()[-1:]
            raise RealDeviceError(f"mpv cannot make a clip: {' '.join(said)}")
        return aside.rename(file)


def _short(path: Path) -> Path:
    """The path of a socket, which the kernel takes only up to 107 bytes."""
    if len(os.fsencode(path)) <= _MAX_SOCKET_BYTES:
        return path
    raise RealDeviceError(f"{path} is too long for a socket; choose a folder with a shorter path (--data)")


def _wait_for(player: Child, name: str, ready: object) -> None:
    deadline = time.monotonic() + _START_S
    while not ready():  # type: ignore[operator]
        if not player.running or time.monotonic() > deadline:
            raise RealDeviceError(f"{name} does not start; see {player.log}")
        time.sleep(0.05)
