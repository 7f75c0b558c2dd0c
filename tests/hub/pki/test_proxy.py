"""Enrolment through nginx: the port that HTTPS shares with MQTT, and whose request it is."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
import psycopg

from contract.enrol import AUTHORITY_PATH, DEVICES_PATH, Enrolled
from hub.api.server import ApiServer
from hub.metrics import HubMetrics
from hub.pki.folder import PkiFolder
from simulator.ports import HOST
from tests.hub.api.serving import register
from tests.hub.people.making import CHEAP
from tests.hub.pki.making import NAME, enrol_body, make_code, new_key
from tests.identity_servers import HubNginx, hub_settings

DEVICE = "bg-20-cma-k1"


def client(folder: PkiFolder, port: int, address: str = HOST) -> httpx.Client:
    """Somebody who trusts the hub's authority and asks from `address` for the hub by its name."""
    transport = httpx.HTTPTransport(
        local_address=address, verify=ssl.create_default_context(cadata=folder.authority().pem)
    )
    headers = {"Host": NAME}
    return httpx.Client(base_url=f"https://{HOST}:{port}", transport=transport, headers=headers, timeout=30)


def test_a_kiosk_enrols_through_the_shared_port(tmp_path: Path, database: str, connection: psycopg.Connection) -> None:
    settings = hub_settings(tmp_path, database)
    folder = PkiFolder(settings.pki)
    folder.init(datetime.now(UTC))
    register(connection, DEVICE)
    secret = make_code(connection, folder, DEVICE, datetime.now(UTC)).code.secret
    server = ApiServer(settings, HubMetrics(), hashing=CHEAP)
    named: dict[str, Any] = {"extensions": {"sni_hostname": NAME}}
    try:
        server.start()
        with HubNginx(settings) as nginx:
            with client(folder, nginx.port) as kiosk:
                assert kiosk.get(AUTHORITY_PATH, **named).text == folder.authority().pem
                wrong = [kiosk.post(DEVICES_PATH, content=enrol_body(bytes(8), new_key()), **named) for _ in range(11)]
                assert [answer.status_code for answer in wrong] == [403] * 10 + [429]
            with client(folder, nginx.port, "127.0.0.2") as other:  # another address is not held back by it
                answer = other.post(DEVICES_PATH, content=enrol_body(secret, new_key()), **named)
            assert msgspec.json.decode(answer.content, type=Enrolled).device == DEVICE
            in_clear = httpx.post(
                f"http://{HOST}:{settings.api.port}{DEVICES_PATH}",
                content=enrol_body(secret, new_key()),
                headers={"X-Forwarded-For": "192.0.2.1", "Host": NAME},
            )
            assert (in_clear.status_code, "https" in in_clear.text) == (403, True)
    finally:
        server.stop()
