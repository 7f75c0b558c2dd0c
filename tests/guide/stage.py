"""A machine on which the guide's commands are typed: a hub, a kiosk, a boot partition, all below one folder.

What a guide calls `https://ttdn.example.vn`, `/boot/firmware` or `/etc/ttdn-agent` stands here elsewhere; commands
are led there, and what they say is led back. `sudo` asks for nothing; `systemctl` starts and stops our own processes.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple, Self

import psycopg

from edge_agent import status_file
from hub.pki.folder import PkiFolder
from hub.store.registry import import_sites
from simulator.ports import HOST, free_port
from tests.end_to_end.enrolling_hub import ServingHub, written
from tests.end_to_end.program import AGENT, PROJECT, Program, environment
from tests.hub.people.making import DEMO
from tests.identity_servers import HubMosquitto, HubNginx, hub_settings
from tests.mpv import MpvProcess, make_clip
from tests.patience import DEADLINE_S, until

_HUB_NAME: Final = "https://ttdn.example.vn"
_PORT: Final = 8450
_FIRST: Final = PROJECT / "deploy" / "agent" / "agent.first.toml"
_MPV: Final = '# [probes.mpv]\n# socket_path = "/run/ttdn-screen/mpv.sock"\n'
_NO_MANAGER: Final = {
    "Máy này không có NetworkManager: APN/Wi-Fi trong tệp không được dùng, hãy đặt bằng công cụ khác.",
    "There is no NetworkManager here: APN and Wi-Fi of the file are not used; set them by other means.",
}
"""Said of the file's APN where nmcli is not found, as on the stage; a Raspberry Pi has it."""
_SERVICE: Final = re.compile(
    r"systemctl (?:enable --)?(start|stop|restart|now|kill)(?: --signal=KILL)? (mpv-kiosk|ttdn-agent)"
)
_MAY_FAIL: Final = ("doctor", "status", "ABCDE-FGHJK")
"""What these say is compared; that they find something is no fault."""


class _Agent(Program):
    def __init__(self, config: Path) -> None:
        super().__init__("kiosk", config.with_suffix(".log"), [AGENT, "--config", config, "run"])

    def _ready(self) -> bool:
        return "connected" in self.said()


class HubAt(NamedTuple):
    """Where a hub is, and what a guide calls its ports."""

    config: Path
    url: str
    ports: dict[str, str]


class Stage:
    """Commands are typed here."""

    def __init__(self, root: Path, hub: HubAt, language: str) -> None:
        self._root, self._hub, self._language = root, hub, language
        self._places = {
            _HUB_NAME: hub.url,
            "/boot/firmware": f"{root}/boot",
            "/media/$USER/bootfs": f"{root}/boot",
            "/etc/ttdn-agent": f"{root}/etc",
            "/var/lib/ttdn-agent": f"{root}/state",
            "/run/ttdn-agent": f"{root}/runtime",
            "/run/ttdn-screen": f"{root}/mpv",
        }
        for name in ("boot", "etc", "state", "work", "mpv"):
            (root / name).mkdir(parents=True)
        self._config = root / "etc" / "agent.toml"
        own = f'state_folder = "{root}/state"\nruntime_folder = "{root}/runtime"\n'
        self._config.write_text(own + _FIRST.read_text().replace("\n[probes.screen]\n", "\n"))  # there is none here
        self._player, self._clip = MpvProcess(root / "mpv"), make_clip(root / "gioi-thieu.mkv", 300)
        self._agent = _Agent(self._config)

    def type(self, command: str) -> str:
        """What is seen of it."""
        command = command.replace("sudo ", "")
        if (service := _SERVICE.fullmatch(command)) is not None:
            self._serve(service[1], service[2])
            return ""
        if command == "nano /etc/ttdn-agent/agent.toml":  # the two marks that the guide tells to take away
            text = self._config.read_text()
            assert _MPV in text
            watched = f'[probes.mpv]\nsocket_path = "{self._player.socket_path}"\n'
            self._config.write_text(text.replace(_MPV, watched))
            return ""
        if command.endswith(("doctor", "status")) and self._agent.running:
            until(self._is_answered, "the agent has told of the hub's answer, and of what is played")
        for told, real in self._places.items():
            command = command.replace(told, real)
        command = command.replace("ttdn-agent first-boot", f"ttdn-agent first-boot --no-mount --look {self._root}/boot")
        command = command.replace("page on", f"page on --port {free_port()}")
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            cwd=self._root / "work",
            env=self._environment(alone="first-boot" in command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=DEADLINE_S,
            check=False,
        )
        may_fail = command.endswith(_MAY_FAIL)
        assert done.returncode == 0 or may_fail, f"{command}: {done.stdout.decode()}"
        return self._led_back(done.stdout.decode("utf-8-sig").replace("\r\n", "\n"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.type("ttdn-agent page off")
        self._agent.kill()
        self._player.kill()

    def _serve(self, how: str, unit: str) -> None:
        if unit == "mpv-kiosk":
            if how == "stop":
                self._player.kill()
            else:
                self._player.start(str(self._clip))
        elif how == "kill":  # and systemd starts it again
            self._agent.kill()
            self._agent.start()
        else:
            if how != "start":
                self._agent.stop()
            if how != "stop":
                self._agent.start()

    def _is_answered(self) -> bool:
        """A person waits these ten seconds; a status is written every five."""
        status = status_file.read(self._root / "runtime")
        if status is None or status.pid != self._agent.pid or status.receipt_ms is None:
            return False
        return not self._player.running or any(shown.content for shown in status.on_screen)

    def _led_back(self, said: str) -> str:
        for told, real in self._places.items():
            said = said if "$" in told else said.replace(real, told)
        said = said.replace(str(self._player.socket_path), "/run/ttdn-screen/mpv.sock")
        for real, told in self._hub.ports.items():
            said = said.replace(real, told)
        said = (
            said.replace("localhost", "mqtt.ttdn.example.vn")
            .replace(f"{HOST}:443", "ttdn.example.vn")
            .replace(HOST, "203.0.113.10")
        )
        said = "".join(line for line in said.splitlines(keepends=True) if line.strip() not in _NO_MANAGER)
        return re.sub(r"http://\S+?:\d+", f"http://192.0.2.20:{_PORT}", said)

    def _environment(self, *, alone: bool) -> dict[str, str]:
        """`alone`: with our programs only, so that nobody makes connections of this very machine's NetworkManager."""
        own, ours = environment(), str(Path(sys.executable).parent)
        own["PATH"] = ours if alone else f"{ours}:{own['PATH']}"
        config = {"TTDN_AGENT_CONFIG": str(self._config), "TTDN_HUB_CONFIG": str(self._hub.config)}
        return {**own, **config, "TTDN_LANG": self._language}


@contextmanager
def hub_running(folder: Path, dsn: str, connection: psycopg.Connection) -> Iterator[HubAt]:
    """A hub as it is installed."""
    folder.mkdir()
    settings = hub_settings(folder)
    url = f"https://{HOST}:{settings.pki.shared_port}"
    names = {"name": HOST, "mqtt_name": "localhost", "url": url}
    settings = settings.model_copy(update={"pki": settings.pki.model_copy(update=names)})
    settings.pki.broker_folder.mkdir(mode=0o750)
    PkiFolder(settings.pki).init(datetime.now(UTC))
    import_sites(connection, DEMO.read_bytes())
    config = written(settings, folder / "hub.toml", dsn)
    with HubMosquitto(settings), HubNginx(settings), ServingHub(config) as hub:
        ports = {settings.pki.mqtt_port: 8883, settings.pki.shared_port: 443}
        yield HubAt(hub.config, url, {f":{real}": f":{told}" for real, told in ports.items()})
