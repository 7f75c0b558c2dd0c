"""Configuration and commands over HTTP: the scope, the wall between provinces, who did it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg

from contract.command import Picture, Reply
from hub.people.names import provinces_of
from hub.people.roles import Scope
from hub.people.tokens import new_token
from hub.store import people
from hub.store.fleet_traffic import FleetTraffic
from tests.hub.api.serving import Api, get, register

DEVICE = "bg-20-cma-k1"


def token(connection: psycopg.Connection[Any], *scopes: Scope, province: str) -> str:
    made, now = new_token(), datetime.now(UTC)
    provinces = provinces_of([province], every=False)
    until = now + timedelta(days=1)
    people.add_token(connection, made, "test", frozenset(scopes), provinces, until, by="command:an", now=now)
    return made.text


def post(client: httpx.Client, path: str, body: Any) -> httpx.Response:
    return client.post(path, json=body)


def test_a_device_is_configured_and_commanded_by_those_of_its_province(
    api: Api, connection: psycopg.Connection[Any]
) -> None:
    register(connection, DEVICE)
    at = f"/api/v1/devices/{DEVICE}"
    with (
        api.client(token(connection, "operate", province="20")) as ours,
        api.client(token(connection, "operate", province="04")) as theirs,
        api.client(token(connection, "read", province="20")) as reader,
    ):
        answer = post(ours, f"{at}/config", {"set": {"intervals.look_s": "5"}})
        assert answer.status_code == 200, answer.text
        assert answer.json()["settings"] == {"intervals.look_s": "5"}
        assert [(row["device"], row["revision"], row["state"]) for row in get(ours, "/api/v1/device-configs")] == [
            (DEVICE, 1, "waiting")
        ]
        bad = post(ours, f"{at}/config", {"set": {"intervals.health_s": "600"}})
        assert (bad.status_code, "compliance.heartbeat_s" in bad.text) == (422, True)

        given = post(ours, f"{at}/commands", {"name": "snapshot"})
        assert given.status_code == 201, given.text
        code = given.json()["id"]
        assert given.json()["outcome"] is None
        assert given.json()["issued_by"].startswith("token:")
        picture = Picture("image/jpeg", b"\xff\xd8 a screen")
        now_ms = int(datetime.now(UTC).timestamp() * 1000)
        FleetTraffic(connection).answered(DEVICE, Reply(command=code, outcome="done", picture=picture), now_ms)
        shown = ours.get(f"/api/v1/commands/{code}/picture")
        assert (shown.content, shown.headers["content-type"]) == (picture.body, "image/jpeg")
        assert shown.headers["cache-control"] == "no-store"
        assert get(ours, f"/api/v1/commands/{code}")["has_picture"] is True

        assert get(theirs, "/api/v1/device-configs") == get(theirs, "/api/v1/commands") == []
        for path in (f"/api/v1/commands/{code}", f"/api/v1/commands/{code}/picture"):
            assert (theirs.get(path).status_code, reader.get(path).status_code) == (404, 403)
        for path, body in ((f"{at}/commands", {"name": "identify"}), (f"{at}/config", {"set": {"opening": ""}})):
            assert (post(theirs, path, body).status_code, post(reader, path, body).status_code) == (404, 403)
        assert post(ours, f"{at}/commands", {"name": "update"}).status_code == 422
        assert post(ours, f"{at}/commands", {"name": "identify", "lasts_s": 1}).status_code == 422
    deeds = connection.execute("SELECT who, deed FROM audit_entry WHERE what = %s ORDER BY id", (f"device:{DEVICE}",))
    assert [(who.partition(":")[0], deed) for who, deed in deeds] == [
        ("token", "device_configured"),
        ("token", "device_commanded"),
        ("device", "command_answered"),
    ]
