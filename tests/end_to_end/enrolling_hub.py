"""The hub that devices enrol with: `ttdn-hub serve` behind a Mosquitto and an nginx of its own configuration."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import psycopg

from hub.config import HubSettings
from hub.pki.folder import PkiFolder
from hub.releases.keys import make_key
from hub.store.registry import import_sites
from simulator.ports import HOST
from tests.end_to_end.program import HUB, Program, run
from tests.hub.people.making import DEMO
from tests.identity_servers import HubMosquitto, HubNginx, hub_settings

ORIGIN: Final = "http://127.0.0.1:9"
"""Of the kiosk's own page."""
_HUB_CONFIG: Final = """\
[database]
dsn = {dsn}
[mqtt]
password_file = {password_file}
brokers = [{{host = "127.0.0.1", port = {own_port}, tls = false}}]
[ingest]
processes = 1
[api]
port = {api_port}
proxies = ["127.0.0.1"]
[pki]
folder = {folder}
broker_folder = {broker_folder}
proxy_folder = {proxy_folder}
name = {name}
mqtt_name = {mqtt_name}
url = {url}
mqtt_port = {mqtt_port}
shared_port = {shared_port}
https_port = {https_port}
hop_port = {hop_port}
release_key_file = {release_key_file}
[releases]
folder = {releases}
"""


def local(settings: HubSettings, mqtt_name: str = HOST) -> HubSettings:
    """Under names that a machine without a name server knows."""
    names = {"name": "localhost", "mqtt_name": mqtt_name, "url": f"https://localhost:{settings.pki.shared_port}"}
    return settings.model_copy(update={"pki": settings.pki.model_copy(update=names)})


def written(settings: HubSettings, file: Path, dsn: str) -> Path:
    pki = settings.pki.model_dump(mode="json")
    values: dict[str, Any] = {
        **pki,
        "release_key_file": str(file.with_name("release.pub")),
        "releases": str(file.with_name("releases")),
        "dsn": dsn,
        "password_file": str(settings.mqtt.password_file),
        "own_port": settings.mqtt.brokers[0].port,
        "api_port": settings.api.port,
    }
    file.write_text(_HUB_CONFIG.format(**{key: json.dumps(value) for key, value in values.items()}))
    return file


class ServingHub(Program):
    """`ttdn-hub serve`."""

    def __init__(self, config: Path) -> None:
        self.config = config
        super().__init__("hub", config.with_suffix(".log"), [HUB, "serve", "--config", config])

    def _ready(self) -> bool:
        said = self.said()
        return "listening on broker" in said and "running" in said


@contextmanager
def enrolling_hub(
    folder: Path, dsn: str, connection: psycopg.Connection, mqtt_name: str = HOST
) -> Iterator[ServingHub]:
    """One with the demo's sites and a key for releases, everything of it below `folder`.

    `mqtt_name` is its broker's; behind the shared port it is found by a name only, so not by an address.
    """
    folder.mkdir()
    settings = local(hub_settings(folder), mqtt_name)
    make_key(folder / "release.key", folder / "release.pub")
    settings.pki.broker_folder.mkdir(mode=0o750)
    PkiFolder(settings.pki).init(datetime.now(UTC))
    import_sites(connection, DEMO.read_bytes())
    config = written(settings, folder / "hub.toml", dsn)
    with HubMosquitto(settings), HubNginx(settings), ServingHub(config) as serving:
        yield serving


def add_device(hub: ServingHub, site: str, file: Path) -> dict[str, Any]:
    """A kiosk whose `ttdn.toml` is this file; what the command says of it."""
    added = run(HUB, "device", "add", site, "--toml", file, "--json", "--config", hub.config)
    assert added.returncode == 0, added.stderr
    return dict(json.loads(added.stdout))


def show(port: int, content_ref: str) -> None:
    """The kiosk's page tells the agent's bridge at this port what it plays."""
    body = json.dumps({"type": "display", "content_ref": content_ref, "playing": True, "visible": True}).encode()
    headers = {"Origin": ORIGIN, "Content-Type": "application/json"}
    request = urllib.request.Request(f"http://{HOST}:{port}/v1/visits", body, headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 200
