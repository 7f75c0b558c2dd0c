"""The registry over HTTP: lists of a day, templates, files in, and each within the provinces of who asks."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import openpyxl
import psycopg
import pytest

from hub.api.app import MOST_BODY_BYTES
from hub.registry import template
from hub.registry.files import KINDS, kind_of
from hub.registry.rows import MOST_BYTES
from hub.store.registry import import_file, move_device
from tests.hub.api.serving import Api, get, serving
from tests.hub.people.making import add_person, add_token
from tests.hub.registry.making import example, file_of

LISTS = ("provinces", "organisations", "gates", "sites", "devices", "campaigns", "activities")
HMO = {"code": "BG-22-HMO", "province_code": "22", "province_vi": "Quảng Ninh"}


def token(connection: psycopg.Connection[Any], *scopes: str, **more: Any) -> str:
    return add_token(connection, *scopes, now=datetime.now(UTC), **more).text


@pytest.fixture
def manager(api: Api, connection: psycopg.Connection) -> Iterator[httpx.Client]:
    with api.client(token(connection, "read", "manage")) as client:
        yield client


@pytest.fixture
def filled(connection: psycopg.Connection) -> None:
    """One of each at home (20), a gate with a site elsewhere (22), and a device that moved there."""
    points = (example("points"), example("points", **HMO))
    organisations = (
        example("organisations", parent=""),
        example("organisations", agency_code="H49.3", province="22", parent=""),
    )
    files: dict[str, tuple[dict[str, str], ...]] = {
        "points": points,
        "organisations": organisations,
        "devices": (example("devices", since=""), example("devices", name="k2", since="", site="BG-22-HMO")),
        "campaigns": (example("campaigns"), example("campaigns", code="DT-22", organisation="H49.3")),
        "activities": (example("activities"), example("activities", code="TH-22", organisation="H49.3")),
    }
    for kind, rows in files.items():
        import_file(connection, kind_of(kind), file_of(kind, *rows), by="x")
    move_device(connection, "bg-20-cma-k1", "BG-22-HMO", datetime(2025, 7, 1, tzinfo=UTC), by="x")
    gates = file_of("gates", example("gates", gate_type="quoc_te", since="01/07/2025"))
    import_file(connection, kind_of("gates"), gates, by="x")


def post(client: httpx.Client, kind: str, data: bytes, **parameters: str) -> httpx.Response:
    return client.post(f"/api/v1/registry/import/{kind}", content=data, params=parameters)


# -- lists ------------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("filled")
def test_lists_as_of_a_day(manager: httpx.Client) -> None:
    for day, gate_type in (("2025-06-30", "chinh"), ("2025-07-01", "quoc_te"), (None, "quoc_te")):
        asked = {} if day is None else {"as_of": day}
        assert get(manager, "/api/v1/registry/gates", **asked)[0]["gate_type"] == gate_type
        assert get(manager, "/api/v1/registry/sites", **asked)[0]["gate_type"] == gate_type
    for day, site in (("2025-06-30", "BG-20-CMA"), ("2025-07-01", "BG-22-HMO")):
        device, _ = get(manager, "/api/v1/registry/devices", as_of=day)
        assert device["site"] == site
    (home, _) = get(manager, "/api/v1/registry/gates")
    assert [(one["since"], one["until"], one["gate_type"]) for one in home["periods"]] == [
        (None, "2025-07-01", "chinh"), ("2025-07-01", None, "quoc_te")
    ]  # fmt: skip
    moved = [(one["since"], one["until"], one["site"], one["province_code"]) for one in device["placements"]]
    assert moved == [
        (None, "2025-07-01T00:00:00Z", "BG-20-CMA", "20"), ("2025-07-01T00:00:00Z", None, "BG-22-HMO", "22")
    ]  # fmt: skip
    (activity,) = (one for one in get(manager, "/api/v1/registry/activities") if one["code"] == "TH-2025-01")
    assert (activity["people"], activity["held_on"], activity["kind"]) == (45, "2025-10-20", "tap_huan")
    assert len(get(manager, "/api/v1/registry/campaigns")) == len(get(manager, "/api/v1/registry/organisations")) == 2
    assert manager.get("/api/v1/registry/gates", params={"as_of": "31/12/2025"}).status_code == 422


@pytest.mark.usefixtures("filled")
def test_not_one_foreign_row(api: Api, connection: psycopg.Connection) -> None:
    with api.client(token(connection, "read", provinces=frozenset({"20"}))) as client:
        told = "".join(client.get(f"/api/v1/registry/{name}").text for name in LISTS)
    for foreign in ('"22"', "BG-22", "Quảng Ninh", "k2", "HMO", "H49.3"):
        assert foreign not in told
    for own in ("BG-20-CMA", "Lạng Sơn", "bg-20-cma-k1", "H37.16", "DT-2025-01", "TH-2025-01"):
        assert own in told


@pytest.mark.parametrize("path", [*LISTS, "template/gates.csv"])
def test_who_may_not_read_is_told_nothing(api: Api, connection: psycopg.Connection, path: str) -> None:
    with api.client() as stranger, api.client(token(connection, "metrics")) as counting:
        assert stranger.get(f"/api/v1/registry/{path}").status_code == 401
        assert counting.get(f"/api/v1/registry/{path}").status_code == 403


# -- files ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
def test_templates(manager: httpx.Client, kind: Any) -> None:
    book = manager.get(f"/api/v1/registry/template/{kind.name}.xlsx")
    assert book.headers["content-disposition"] == f'attachment; filename="{kind.name}.xlsx"'
    assert openpyxl.load_workbook(io.BytesIO(book.content)).sheetnames == [template.SHEET, template.GUIDE]
    assert manager.get(f"/api/v1/registry/template/{kind.name}.csv").content.startswith(b"\xef\xbb\xbf")
    assert manager.get(f"/api/v1/registry/template/{kind.name}.ods").status_code == 422
    assert manager.get("/api/v1/registry/template/gate.csv").status_code == 404


def test_a_preview_then_the_import(manager: httpx.Client, connection: psycopg.Connection) -> None:
    kind = kind_of("points")
    data = template.workbook(kind, [example("points")])
    preview = post(manager, "points", data, preview="true")
    assert (preview.status_code, preview.json()["taken"], preview.json()["added"]) == (200, False, 1)
    assert get(manager, "/api/v1/registry/sites") == []
    done = post(manager, "points", data)
    assert (done.status_code, done.json()["taken"]) == (200, True)
    changed = post(manager, "points", file_of("points", example("points", gate_type="quoc_te")), preview="true").json()
    assert changed["changes"] == [
        {"row": 2, "key": "BG-20-CMA", "what": "changed", "since": None,
         "fields": {"gate_type": {"old": "chinh", "new": "quoc_te"}}}
    ]  # fmt: skip
    assert post(manager, "points", data).json()["unchanged"] == 1
    who, detail = (
        connection.execute("SELECT who, detail FROM audit_entry WHERE deed = 'registry_imported'").fetchone() or ()
    )
    assert (who.split(":")[0], detail) == ("token", {"added": 1, "changed": 0})


def test_a_bad_file_is_refused_with_all_its_problems(manager: httpx.Client) -> None:
    data = file_of("points", example("points"), example("points", code="x y", province_code="4"))
    for parameters, status in (({}, 422), ({"preview": "true"}, 200)):
        answer = post(manager, "points", data, **parameters)
        assert (answer.status_code, answer.json()["taken"]) == (status, False)
        problems = answer.json()["problems"]
        assert [(one["row"], one["column"]) for one in problems] == [(3, "code"), (3, "province_code")]
        assert "không hợp lệ; cần hai chữ số, như 04" in problems[1]["problem"]
    assert get(manager, "/api/v1/registry/gates") == []
    assert post(manager, "points", b"").json()["problems"][0]["problem"].startswith("thiếu cột")
    assert post(manager, "gate", b"").status_code == 404


def test_only_who_manages_may_import(api: Api, connection: psycopg.Connection) -> None:
    data = file_of("points", example("points"))
    with api.client(token(connection, "read", "visitors")) as reading, api.client() as stranger:
        for parameters in ({}, {"preview": "true"}):
            assert post(reading, "points", data, **parameters).status_code == 403
            assert post(stranger, "points", data, **parameters).status_code == 401


def test_an_open_hub_takes_no_files(database: str) -> None:
    with serving(database, open_on_loopback=True) as api, api.client() as client:
        client.headers["X-Requested-With"] = "x"
        assert post(client, "points", file_of("points", example("points"))).status_code == 403


@pytest.mark.usefixtures("filled")
def test_a_manager_of_one_province_changes_nothing_of_another(api: Api, connection: psycopg.Connection) -> None:
    with api.client(token(connection, "read", "manage", provinces=frozenset({"20"}))) as client:
        own = file_of("gates", example("gates", name_vi="Chi Ma mới"))
        assert post(client, "gates", own).json()["taken"] is True
        for kind, row in (("gates", example("gates", code="BG-22-HMO", province_code="22")),
                          ("gates", example("gates", province_code="22")),
                          ("devices", example("devices", name="k2")),
                          ("provinces", example("provinces"))):  # fmt: skip
            answer = post(client, kind, file_of(kind, row))
            assert (answer.status_code, "ngoài phạm vi được sửa: 20" in answer.text) == (422, True), answer.text


def test_a_page_of_another_site_imports_nothing(api: Api, connection: psycopg.Connection) -> None:
    add_person(connection, role="administrator")
    data = file_of("points", example("points"))
    with api.session() as client:
        assert post(client, "points", data).status_code == 403
        client.headers["Sec-Fetch-Site"] = "cross-site"
        assert post(client, "points", data).status_code == 403
        client.headers["Sec-Fetch-Site"] = "same-origin"
        assert post(client, "points", data).json()["taken"] is True
    who = connection.execute("SELECT who FROM audit_entry WHERE deed = 'registry_imported'").fetchall()
    assert who == [("person:nguyen.an",)]


def test_how_large_a_file_may_be(manager: httpx.Client) -> None:
    rows = [example("points", code=f"BG-20-{number}") for number in range(1_500)]
    data = file_of("points", *rows)
    assert MOST_BODY_BYTES < len(data) < MOST_BYTES
    assert post(manager, "points", data).json()["added"] == 1_500
    assert post(manager, "points", b"x" * (MOST_BYTES + 1)).status_code == 413
    assert manager.post("/api/v1/login", content=b"x" * (MOST_BODY_BYTES + 1)).status_code == 413
