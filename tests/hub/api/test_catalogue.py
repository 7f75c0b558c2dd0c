"""Catalogue, changes and plan over HTTP: what is told, and within which provinces."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import httpx
import psycopg
import pytest

from hub.catalogue.forms import FORMS
from hub.catalogue.topics import shipped
from hub.store import catalogue, plans
from hub.store.catalogue import Hand
from hub.store.ledger_store import LedgerStore
from hub.store.placements import place
from hub.store.play_days import record_days
from tests.hub.api.serving import Api, get
from tests.hub.catalogue.making import AT, DRAFT, A, B, contents_file, groups_file, plan_file
from tests.hub.making import DEVICE, NOW_MS, delivery, play
from tests.hub.people.making import add_token
from tests.hub.registry.making import put_site

HAND = Hand("command:an", AT, "đến muộn")
FILE = contents_file({"media_sha256": A}, {"code": "ND-2", "refs": "b.mp4", "topic": "hinh_anh_van_hoa"})


@pytest.fixture
def connection(connection: psycopg.Connection) -> psycopg.Connection:
    """Two provinces; in the first one a device has shown an approved content."""
    put_site(connection, "BG-20-CMA", "20")
    put_site(connection, "BG-15-LCA", "15")
    LedgerStore(connection).commit([delivery([play(1, content_sha256=A)])], [], NOW_MS)
    connection.execute("UPDATE device SET registered_at = now(), kind = 'led'")
    connection.execute("INSERT INTO device (name, kind, registered_at) VALUES ('far', 'led', now())")
    with connection.transaction():
        place(connection, DEVICE, "BG-20-CMA")
        place(connection, "far", "BG-15-LCA")
    catalogue.import_topics(connection, shipped())
    catalogue.import_contents(connection, contents_file({"media_sha256": A, **DRAFT}), HAND)
    catalogue.import_contents(connection, FILE, HAND)
    record_days(connection, datetime.fromtimestamp(NOW_MS / 1000 + 3 * 86_400, UTC))
    return connection


def asking(api: Api, connection: psycopg.Connection, *provinces: str) -> httpx.Client:
    within = frozenset(provinces) if provinces else None
    return api.client(add_token(connection, "read", provinces=within, now=datetime.now(UTC)).text)


@pytest.fixture
def client(api: Api, connection: psycopg.Connection) -> Iterator[httpx.Client]:
    """A program that may read everything."""
    with asking(api, connection) as opened:
        yield opened


@pytest.mark.parametrize("name", FORMS)
def test_templates(client: httpx.Client, name: str) -> None:
    path = f"/api/v1/catalogue/template/{name}"
    book = client.get(f"{path}.xlsx")
    assert book.headers["content-disposition"] == f'attachment; filename="{name}.xlsx"'
    assert book.content.startswith(b"PK")
    assert client.get(f"{path}.csv").content.startswith(b"\xef\xbb\xbf")
    assert client.get(f"{path}.ods").status_code == 422
    assert client.get("/api/v1/catalogue/template/gates.csv").status_code == 422


def test_topics(client: httpx.Client) -> None:
    topics = get(client, "/api/v1/topics")
    assert len(topics) == 11
    assert topics[0] == {
        "code": "bien_gioi_hoa_binh",
        "label_vi": "Biên giới hòa bình, hữu nghị, hợp tác và phát triển",
        "letter": "5406/BTTTT-TTĐN",
        "section": "5",
        "valid_from": "2022-01-01",
        "valid_until": None,
    }


def test_contents_page_by_page(client: httpx.Client, connection: psycopg.Connection) -> None:
    first = get(client, "/api/v1/contents", limit=1)
    assert [(one["code"], one["version"], one["approval_no"], one["refs"]) for one in first] == [
        ("ND-1", 2, "12/QĐ-SVHTTDL", ["chao-mung.mp4"])
    ]
    assert [one["code"] for one in get(client, "/api/v1/contents", after="ND-1")] == ["ND-2"]
    assert [one["code"] for one in get(client, "/api/v1/contents", topic="hinh_anh_van_hoa")] == ["ND-2"]
    catalogue.delete(connection, "ND-2", HAND)
    assert [one["code"] for one in get(client, "/api/v1/contents")] == ["ND-1"]
    assert [one["code"] for one in get(client, "/api/v1/contents", deleted=True)] == ["ND-2"]


def test_a_content_with_its_history(client: httpx.Client) -> None:
    told = get(client, "/api/v1/contents/ND-1")
    assert [(one["version"], one["approval_no"], one["in_force"]) for one in told["versions"]] == [
        (1, None, False),
        (2, "12/QĐ-SVHTTDL", True),
    ]
    assert [(one["content_ref"], one["first_day"], one["last_day"], one["verdict"]) for one in told["seen"]] == [
        ("chao-mung.mp4", "0001-01-01", "2024-12-31", "not_yet_valid"),
        ("chao-mung.mp4", "2025-01-01", "9999-12-31", "approved"),
    ]
    absent = client.get("/api/v1/contents/ND-9")
    assert (absent.status_code, absent.json()) == (404, {"detail": "no content 'ND-9' is known"})
    assert client.get("/api/v1/contents/nd").status_code == 422


def test_changes(client: httpx.Client) -> None:
    page = get(client, "/api/v1/resolution-changes", limit=2)
    newest = page["changes"][0]
    assert newest["before"] == {"verdict": "unknown", "code": "ND-1", "version": 1}
    assert newest["after"] == {"verdict": "approved", "code": "ND-1", "version": 2}
    assert (newest["deed"], newest["reason"], newest["who"]) == ("imported", "đến muộn", "command:an")
    assert (newest["first_day"], newest["last_day"]) == ("2025-01-01", "9999-12-31")
    rest = get(client, "/api/v1/resolution-changes", limit=2, before=page["next"])
    assert ([one["after"]["version"] for one in rest["changes"]], rest["next"]) == ([1], None)
    assert get(client, "/api/v1/resolution-changes", code="ND-2") == {"changes": [], "next": None}


def test_what_was_shown_elsewhere_is_not_told(api: Api, connection: psycopg.Connection) -> None:
    with asking(api, connection, "20") as here, asking(api, connection, "15") as elsewhere:
        assert len(get(here, "/api/v1/resolution-changes")["changes"]) == 3
        assert get(elsewhere, "/api/v1/resolution-changes")["changes"] == []
        assert len(get(here, "/api/v1/contents/ND-1")["seen"]) == 2
        assert get(elsewhere, "/api/v1/contents/ND-1")["seen"] == []
        assert len(get(elsewhere, "/api/v1/contents/ND-1")["versions"]) == 2, "the catalogue is everybody's"


def test_the_plan_of_one_s_own_provinces(api: Api, connection: psycopg.Connection) -> None:
    devices = [
        {"code": "N-1", "name_vi": "x", "devices": f"far {DEVICE}"},
        {"code": "N-2", "name_vi": "x", "devices": "far"},
    ]
    plans.import_groups(connection, groups_file(*devices))
    lines = plan_file(
        {"languages": "vi:40"},
        {"code": "KH-2", "target_kind": "group", "target": "N-1"},
        {"code": "KH-3", "target_kind": "group", "target": "N-2", "contents": "", "topic": "quan_ly_ttdn"},
        {"code": "KH-4", "target_kind": "device", "target": "far"},
        {"code": "KH-5", "target": "BG-15-LCA"},
    )
    plans.import_plan(connection, lines, "an", AT)
    with asking(api, connection) as everywhere, asking(api, connection, "20") as here:
        told = get(everywhere, "/api/v1/plan")
        assert {one["code"]: one["devices"] for one in told} == {
            "KH-1": [DEVICE],
            "KH-2": [DEVICE, "far"],
            "KH-3": ["far"],
            "KH-4": ["far"],
            "KH-5": ["far"],
        }
        assert (told[0]["contents"], told[0]["languages"], told[0]["hours"]) == (["ND-1"], {"vi": 40}, list(range(24)))
        assert (told[2]["contents"], told[2]["topic"], told[2]["first_day"]) == ([], "quan_ly_ttdn", "2025-06-01")
        assert {one["code"]: one["devices"] for one in get(here, "/api/v1/plan")} == {
            "KH-1": [DEVICE],
            "KH-2": [DEVICE],
        }


def test_nobody_reads_without_the_scope(api: Api, connection: psycopg.Connection) -> None:
    metrics = add_token(connection, "metrics", now=datetime.now(UTC))
    with api.client(metrics.text) as program, api.client() as stranger:
        for path in ("topics", "contents", "contents/ND-1", "resolution-changes", "plan"):
            assert program.get(f"/api/v1/{path}").status_code == 403
            assert stranger.get(f"/api/v1/{path}").status_code == 401


def test_bytes_beat_names_in_what_is_told(client: httpx.Client, connection: psycopg.Connection) -> None:
    LedgerStore(connection).commit([delivery([play(1, content_sha256=B)], stream="c3" * 16)], [], NOW_MS)
    catalogue.withdraw(connection, "ND-1", date(2026, 1, 1), HAND)
    seen = get(client, "/api/v1/contents/ND-1")["seen"]
    assert [(one["content_sha256"], one["verdict"]) for one in seen[-2:]] == [(A, "expired"), (B, "altered")]
