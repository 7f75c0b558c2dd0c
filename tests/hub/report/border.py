"""Two provinces of which everything tells whose it is: each row that a view may show names `p20` or `p22`.

`k-p20` and `k-p22` stand in one province each. `moved` stood in 20 and has stood in 22 for two hours. `nobody` reports
and is not registered.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import psycopg

from contract.events import AnyEvent, Facts, Fault, Health, Interaction, Lifecycle, Loss, Play, Screen
from hub.ingest.committer import commit
from hub.store.ledger_store import LedgerStore
from hub.store.placements import place
from hub.store.visits import settle
from tests.hub.making import delivery
from tests.hub.registry.making import put_site

HOUR_MS: Final = 3_600_000
NOW_MS: Final = time.time_ns() // 1_000_000
NOW: Final = datetime.fromtimestamp(NOW_MS / 1000, UTC)
PROVINCES: Final = ("20", "22")
MOVED, NOBODY = "moved", "nobody"
MOVED_AT: Final = NOW - timedelta(hours=2)
MONTH: Final = date(2026, 5, 1)
SHA: Final = "ab" * 32


def device_of(province: str) -> str:
    return f"k-p{province}"


def site_of(province: str) -> str:
    return f"S-p{province}"


def day_of(mark: str, hours_ago: float) -> Iterator[AnyEvent]:
    """Something of every kind, that names whose it is; numbers 11 and 12 are missing."""
    at = NOW_MS - int(hours_ago * HOUR_MS)
    facts = Facts(listed=True, reported=True, rendering=True, panel="on")
    shown: dict[str, Any] = {"content_ref": f"{mark}.mp4", "screen": f"s-{mark}", "player": "mpv", "facts": facts}
    yield Play(seq=1, time=at, play_id=1, slice=0, content_sha256=SHA, **shown)
    yield Play(seq=2, time=at + 9_000, play_id=1, slice=1, duration_ms=9_000, **shown)
    yield Screen(seq=3, time=at, screen=f"s-{mark}", state="active")
    yield Health(seq=4, time=at, temperature_c=40.5, queue_events=7, bytes_sent=8, bytes_received=9)
    yield Fault(seq=5, time=at, code="page_hung", reason=f"reason {mark}", component=mark)
    yield Lifecycle(seq=6, time=at, action="start", detail=f"detail {mark}")
    yield Interaction(seq=7, time=at, session=5, action="session_start")
    yield Interaction(seq=8, time=at + 1_000, session=5, action="page_view", target=f"page-{mark}", language="lo")
    yield Interaction(seq=9, time=at + 9_000, session=5, action="session_end", language="lo", duration_ms=9_000)
    yield Loss(seq=10, time=at, stream="ee" * 16, lost_kind="play", ranges=[(1, 3)], reason="evicted")
    yield Loss(seq=13, time=at, stream="ee" * 16, lost_kind="interaction", ranges=[(4, 8)], reason="evicted")


def fill(connection: psycopg.Connection) -> None:
    """Through the store's own doors, but for what is only read here."""
    for province in PROVINCES:
        put_site(connection, site_of(province), province)
    connection.execute("UPDATE province_period SET name_vi = 'Tỉnh p' || code")
    connection.execute("INSERT INTO site_hours SELECT code, 1, 480, 1020 FROM site")
    store = LedgerStore(connection)
    for number, province in enumerate(PROVINCES, 1):
        device = device_of(province)
        batch = delivery(day_of(f"p{province}", 1), device=device, stream=f"{number}0" * 16, live=True)
        commit(store, [batch], [], NOW_MS)
        with connection.transaction():
            place(connection, device, site_of(province))
    commit(store, [delivery(day_of("p20", 5), device=MOVED, stream="a1" * 16)], [], NOW_MS)
    connection.execute("UPDATE stream SET first_seen = %s WHERE name = %s", (MOVED_AT - timedelta(hours=3), "a1" * 16))
    with connection.transaction():
        place(connection, MOVED, site_of("20"))
    with connection.transaction():
        place(connection, MOVED, site_of("22"), MOVED_AT)
    commit(store, [delivery(day_of("p22", 1), device=MOVED, stream="a2" * 16, live=True)], [], NOW_MS)
    commit(store, [delivery(day_of("nobody", 1), device=NOBODY, stream="b1" * 16, live=True)], [], NOW_MS)
    while settle(connection):
        pass
    registered = "UPDATE device SET kind = 'kiosk', title_vi = 'x', registered_at = now() WHERE name <> %s"
    connection.execute(registered, (NOBODY,))
    connection.execute(
        "INSERT INTO presence SELECT id, 'n', 'b', %s, now(), NULL, NULL FROM device", (NOW - timedelta(hours=5),)
    )
    connection.execute("INSERT INTO hub_link VALUES ('w', 'b', %s, now(), NULL)", (NOW - timedelta(hours=5),))
    connection.execute(
        "INSERT INTO device_now (device, version, queue_events) SELECT id, '1', 7 FROM device ON CONFLICT (device)"
        " DO UPDATE SET version = '1', queue_events = 7"
    )
    connection.execute(
        "INSERT INTO incident (kind, device, opened_at, last_at, acknowledged_at, acknowledged_by)"
        " SELECT 'cloned_device', id, %s, now(), now(), 'An' FROM device",
        (NOW - timedelta(hours=5),),
    )
    for province in PROVINCES:
        put_plans(connection, province)
    connection.execute("INSERT INTO topic (code, valid_from, label_vi) VALUES ('kinh_te', '2022-01-01', 'Kinh tế')")
    connection.execute("INSERT INTO content (code) VALUES ('c-1')")
    connection.execute(
        "INSERT INTO content_version (content, version, title_vi, language, topic, kind, priority, valid_from,"
        " recorded_at, recorded_by)"
        " VALUES ('c-1', 1, 'Chào mừng', 'vi', 'kinh_te', 'video', 'thong_thuong', '2026-01-01', now(), 'An')"
    )
    for province, sessions in zip(PROVINCES, (35, None), strict=True):
        connection.execute(
            "INSERT INTO published_visitors VALUES (%s, %s, 'vi', %s, %s, %s, now())",
            (MONTH, site_of(province), province, sessions, None if sessions else "c"),
        )


def put_plans(connection: psycopg.Connection, province: str) -> None:
    """What must be shown, on record and judged, and who belongs to the province."""
    mark, site, device = f"p{province}", site_of(province), device_of(province)
    given = {"mark": mark, "site": site, "device": device, "province": province}
    connection.execute("INSERT INTO organisation VALUES (%(mark)s, 'x', %(province)s, NULL, NULL, NULL)", given)
    connection.execute("INSERT INTO campaign VALUES (%(mark)s, 'x', '2026-01-01', '2026-12-31', %(mark)s, NULL)", given)
    connection.execute("INSERT INTO activity VALUES (%(mark)s, 'khac', 'x', 'x', '2026-01-01', 5, %(mark)s)", given)
    connection.execute("INSERT INTO device_group VALUES (%(mark)s, 'x')", given)
    connection.execute("INSERT INTO device_group_member SELECT %(mark)s, id FROM device WHERE name = %(device)s", given)
    for kind, target in (("site", site), ("device", device), ("group", mark)):
        connection.execute(
            "INSERT INTO plan_item VALUES (%s, %s, %s, %s, '{c-1}', NULL, '2026-01-01', '2026-12-31', '{1}', '{7}',"
            " 'plays_per_day', 1, '{}', NULL, 1, now(), 'An')",
            (f"{mark}-{kind}", mark, kind, target),
        )
    for statement in (
        "INSERT INTO play_day SELECT '2026-05-01', p.id, c.id, NULL, 1, 1, 0, 0, 'panel_on', 'unknown'"
        " FROM placement p, shown_content c WHERE p.site = %(site)s AND c.content_ref = %(mark)s || '.mp4'",
        "INSERT INTO day_recorded SELECT id, '2026-05-01', now(), NULL, 0 FROM placement WHERE site = %(site)s",
        "INSERT INTO plan_result SELECT %(mark)s || '-site', id, '2026-05-01', 7, 'enough', 1, 1, 1, 1, 0, '{}', now()"
        " FROM placement WHERE site = %(site)s",
        "INSERT INTO unknown_time SELECT id, '2026-05-01', '2026-05-01', '2026-05-02', '{silence}'"
        " FROM placement WHERE site = %(site)s",
    ):
        connection.execute(statement.encode(), given)
