"""The API as a server, and those who ask it: from any address of this machine, with a token, a password or nothing."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.cookies import Morsel, SimpleCookie
from typing import Any

import httpx
import psycopg

from hub.api.server import ApiServer
from hub.config import HubSettings
from hub.metrics import HubMetrics
from hub.people.passwords import Hashing
from hub.store.registry import import_devices, import_sites
from tests.hub.people.making import CHEAP, DEMO, PASSWORD, Clock

BROKER = "127.0.0.1:1883"
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For clients of http: each of them would otherwise read all authorities of the web."""


class Api:
    """A running server."""

    def __init__(self, server: ApiServer, metrics: HubMetrics, clock: Clock) -> None:
        self.server, self.metrics, self.clock = server, metrics, clock

    @property
    def address(self) -> str:
        return self.server.address

    def client(self, token: str | None = None, *, address: str = "127.0.0.1", **options: Any) -> httpx.Client:
        """Somebody who asks from `address`; to be closed, or used with `with`."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        transport = httpx.HTTPTransport(verify=NO_TLS, local_address=address)
        return httpx.Client(
            base_url=self.address, headers=headers, transport=transport, trust_env=False, timeout=30, **options
        )

    def login(self, name: str = "nguyen.an", password: str = PASSWORD, address: str = "127.0.0.1") -> httpx.Response:
        """One attempt; its answer."""
        with self.client(address=address) as client:
            return client.post("/api/v1/login", json={"name": name, "password": password})

    @contextmanager
    def session(self, name: str = "nguyen.an") -> Iterator[httpx.Client]:
        """Somebody who has logged in."""
        with self.client() as client:
            answer = client.post("/api/v1/login", json={"name": name, "password": PASSWORD})
            assert answer.status_code == 204, answer.text
            yield client


def settings_for(dsn: str, port: int = 0, **api: Any) -> HubSettings:
    pki = api.pop("pki", None) or {}
    return HubSettings.model_validate({"database": {"dsn": dsn}, "api": {"port": port, **api}, "pki": pki})


@contextmanager
def serving(dsn: str, clock: Clock | None = None, hashing: Hashing = CHEAP, **api: Any) -> Iterator[Api]:
    """A server with these settings of [api]."""
    clock, metrics = clock or Clock(datetime.now(UTC)), HubMetrics()
    server = ApiServer(settings_for(dsn, **api), metrics, clock=clock, hashing=hashing)
    try:
        server.start()
        yield Api(server, metrics, clock)
    finally:
        server.stop()


def get(client: httpx.Client, path: str, **parameters: Any) -> Any:
    answer = client.get(path, params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


def register(connection: psycopg.Connection, *names: str, site: str = "BG-20-CMA") -> None:
    import_sites(connection, DEMO.read_bytes())
    rows = "".join(f"{name},kiosk,{site},Tủ tra cứu\n" for name in names)
    import_devices(connection, f"name,kind,site,title_vi\n{rows}".encode())


def listen(connection: psycopg.Connection, *devices: str) -> None:
    """A worker listens now, and hears these devices."""
    now = datetime.now(UTC)
    long_ago = now - timedelta(hours=1)
    connection.execute("INSERT INTO hub_link VALUES ('w', %s, %s, %s, NULL)", (BROKER, long_ago, now))
    for name in devices:
        connection.execute(
            "INSERT INTO presence SELECT id, 'n', %s, %s, %s FROM device WHERE name = %s", (BROKER, long_ago, now, name)
        )


def cookie_of(answer: httpx.Response) -> Morsel[str]:
    """The one that an answer sets."""
    found: SimpleCookie = SimpleCookie(answer.headers["set-cookie"])
    (morsel,) = found.values()
    return morsel
