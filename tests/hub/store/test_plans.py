"""The plan and its groups: files in, all or nothing, and the same lines out."""

from __future__ import annotations

import psycopg
import pytest

from hub.catalogue.groups import Group
from hub.catalogue.plan_items import Known, read_plan
from hub.catalogue.topics import shipped
from hub.errors import ImportRefused
from hub.store import catalogue, plans
from hub.store.catalogue import Hand
from hub.store.placements import place
from tests.hub.catalogue.making import AT, contents_file, groups_file, plan_file
from tests.hub.registry.making import put_site

SITE = "BG-20-CMA"
LINES: tuple[dict[str, str], ...] = (
    {},
    {
        "code": "KH-2",
        "campaign": "DT-1",
        "target_kind": "group",
        "target": "N-1",
        "contents": "",
        "topic": "quan_ly_ttdn",
        "weekdays": "T2-T6",
        "hours": "7-11 14-17",
        "unit": "seconds_per_day",
        "languages": "vi:40 zh:30",
        "shortest_play_s": "30",
        "screens": "2",
    },
    {"code": "KH-3", "target_kind": "device", "target": "k1", "contents": "ND-2 ND-1"},
)
GROUP = {"code": "N-1", "name_vi": "Tủ", "devices": "k1 k2"}
KNOWN = Known({"site": {SITE}, "device": {"k1"}, "group": {"N-1"}}, {"DT-1"}, {"ND-1", "ND-2"}, {"quan_ly_ttdn"})


@pytest.fixture
def connection(connection: psycopg.Connection) -> psycopg.Connection:
    """With a site, devices, contents and a campaign."""
    put_site(connection, SITE)
    for name in ("k1", "k2", "k3"):
        connection.execute("INSERT INTO device (name, kind, registered_at) VALUES (%s, 'led', now())", (name,))
    connection.execute("INSERT INTO device (name) VALUES ('stranger')")
    connection.execute("INSERT INTO campaign VALUES ('DT-1', 'x', '2025-06-01', '2025-06-30')")
    catalogue.import_topics(connection, shipped())
    rows = contents_file({}, {"code": "ND-2", "refs": "b.mp4"}, {"code": "ND-3", "refs": "c.mp4"})
    catalogue.import_contents(connection, rows, Hand("an", AT))
    catalogue.delete(connection, "ND-3", Hand("an", AT))
    return connection


def put(connection: psycopg.Connection, *rows: dict[str, str]) -> tuple[int, ...]:
    return plans.import_plan(connection, plan_file(*rows), "an", AT)[:3]


def test_lines_come_out_as_they_were_read(connection: psycopg.Connection) -> None:
    plans.import_groups(connection, groups_file(GROUP))
    assert put(connection, *LINES) == (3, 0, 0)
    assert plans.plan(connection) == read_plan(plan_file(*LINES), KNOWN)
    assert put(connection, *LINES) == (0, 0, 3)
    assert put(connection, {**LINES[0], "least": "5"}, {"code": "KH-4"}) == (1, 1, 0)
    assert [line.item.least for line in plans.plan(connection)] == [5, 4, 4, 4]
    assert plans.remove_item(connection, "KH-4")
    assert not plans.remove_item(connection, "KH-4")
    assert len(plans.plan(connection)) == 3


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ({"target": "S-9"}, "cột target: 'S-9'"),
        ({"target_kind": "device", "target": "stranger"}, "cột target: 'stranger'"),
        ({"target_kind": "group", "target": "N-1"}, "cột target: 'N-1'"),
        ({"contents": "ND-3"}, "cột contents: 'ND-3' chưa có"),
        ({"campaign": "DT-2"}, "cột campaign: 'DT-2'"),
    ],
    ids=str,
)
def test_one_bad_row_and_nothing_is_taken(connection: psycopg.Connection, cells: dict[str, str], told: str) -> None:
    with pytest.raises(ImportRefused, match=f"dòng 3, {told}"):
        put(connection, {}, {"code": "KH-2", **cells})
    assert plans.plan(connection) == []


def test_a_group_is_what_its_file_says(connection: psycopg.Connection) -> None:
    assert plans.import_groups(connection, groups_file(GROUP)) == (1, 0, 0, (0, 0), ())
    assert plans.import_groups(connection, groups_file(GROUP))[:3] == (0, 0, 1)
    assert plans.import_groups(connection, groups_file({**GROUP, "devices": "k2 k3"}))[:3] == (0, 1, 0)
    assert plans.import_groups(connection, groups_file({**GROUP, "devices": "k3 k2", "name_vi": "LED"}))[:3] == (
        0,
        1,
        0,
    )
    assert plans.groups(connection) == [Group("N-1", "LED", ("k2", "k3"))]
    with pytest.raises(ImportRefused, match="dòng 2, cột devices: 'stranger' chưa đăng ký"):
        plans.import_groups(connection, groups_file({**GROUP, "devices": "k1 stranger"}))


def test_previews_change_nothing(connection: psycopg.Connection) -> None:
    assert plans.import_groups(connection, groups_file(GROUP), preview=True)[:3] == (1, 0, 0)
    assert plans.import_plan(connection, plan_file({}), "an", AT, preview=True)[:3] == (1, 0, 0)
    assert (plans.groups(connection), plans.plan(connection)) == ([], [])


def test_the_devices_that_a_target_stands_for(connection: psycopg.Connection) -> None:
    plans.import_groups(connection, groups_file(GROUP))
    with connection.transaction():
        place(connection, "k3", SITE)
    assert plans.devices_of(connection, "site", SITE) == ["k3"]
    assert plans.devices_of(connection, "group", "N-1") == ["k1", "k2"]
    assert plans.devices_of(connection, "device", "k1") == ["k1"]
    assert plans.devices_of(connection, "device", "nobody") == []


def test_deeds_are_told(connection: psycopg.Connection) -> None:
    def told() -> list[tuple[object, ...]]:
        rows = connection.execute("SELECT who, deed, what, detail, at FROM audit_entry ORDER BY id").fetchall()
        return [row for row in rows if "plan:" in row[2]]

    plans.import_groups(connection, groups_file(GROUP), "an", AT, preview=True)
    plans.import_plan(connection, plan_file({}), "an", AT, preview=True)
    assert not plans.remove_item(connection, "KH-1", "an", AT)
    assert told() == []
    for _ in range(2):  # the second time nothing changes, and nothing is told
        plans.import_groups(connection, groups_file(GROUP), "an", AT)
        put(connection, {}, {"code": "KH-2"})
    put(connection, {"least": "9"})
    assert plans.remove_item(connection, "KH-1", "binh", AT)
    assert told() == [
        ("an", "groups_imported", "plan:groups", {"added": 1, "changed": 0}, AT),
        ("an", "plan_imported", "plan:items", {"added": 2, "changed": 0}, AT),
        ("an", "plan_imported", "plan:items", {"added": 0, "changed": 1}, AT),
        ("binh", "plan_removed", "plan:KH-1", {}, AT),
    ]
