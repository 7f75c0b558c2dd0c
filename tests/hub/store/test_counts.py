"""Hourly counts are the sums over everything that was ever accepted, whatever came in which order and went since."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
import psycopg
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from contract.events import KINDS, AnyEvent, Facts, Fault, Health, Interaction, Kind, Lifecycle, Play, Screen
from hub.counts.hourly import HOURLY, HourlyCount
from hub.counts.tally import Cell, Tally, hour_of
from hub.ingest.committer import commit
from hub.registry.files import kind_of
from hub.registry.placements import Placements
from hub.store import recount
from hub.store.audit import audit
from hub.store.ledger_store import LedgerStore
from hub.store.maintain import maintain
from hub.store.placements import place
from hub.store.registry import import_file
from tests.hub.making import NOW_MS, delivery
from tests.hub.registry.making import put_period, put_site

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
DEVICES: Final = ("k1", "k2")
STREAMS: Final = {f"{number}{device[-1]}" * 16: device for device in DEVICES for number in (1, 2)}
SITES: Final = ("S-1", "S-2", "S-3")
PROVINCES: Final = ("20", "22")
TABLES: Final = ("play_hour", "interaction_hour", "health_hour", "fault_hour", "event_hour")
_TODAY: Final = datetime.fromtimestamp(NOW_MS / 1000, UTC).date()
_TIMES = st.one_of(
    st.integers(NOW_MS - 2 * HOUR_MS, NOW_MS),
    st.integers(NOW_MS - 50 * DAY_MS, NOW_MS + DAY_MS),
    st.integers(-50 * 24, 24).map(lambda hours: NOW_MS // HOUR_MS * HOUR_MS + hours * HOUR_MS),
)
_FACTS = st.builds(
    Facts,
    listed=st.sampled_from((None, True, False)),
    reported=st.sampled_from((None, True, False)),
    rendering=st.sampled_from((None, True, False)),
    panel=st.sampled_from(("on", "off", "unknown")),
    frame=st.sampled_from(("match", "mismatch", "unknown")),
)
_BASE: Final[dict[str, Any]] = {"seq": st.just(1), "time": _TIMES}
_EVENTS = st.one_of(
    st.builds(
        Play,
        **_BASE,
        play_id=st.just(7),
        slice=st.integers(0, 2),
        content_ref=st.sampled_from(("a.mp4", "b.mp4")),
        content_sha256=st.sampled_from((None, "ab" * 32, "cd" * 32)),
        screen=st.just("main"),
        player=st.just("mpv"),
        duration_ms=st.integers(0, 300_000),
        status=st.sampled_from(("running", "success", "hardware_failure", "content_failure")),
        facts=_FACTS,
    ),
    st.builds(
        Interaction,
        **_BASE,
        session=st.just(9),
        action=st.sampled_from(("page_view", "feedback")),
        target=st.sampled_from((None, "visa")),
        language=st.sampled_from((None, "vi", "lo")),
        duration_ms=st.none() | st.integers(0, 5_000),
        rating=st.none() | st.integers(1, 5),
    ),
    st.builds(
        Health,
        **_BASE,
        temperature_c=st.none() | st.floats(-100, 250, width=64),
        undervoltage=st.sampled_from((None, True, False)),
        queue_events=st.none() | st.integers(0, 9),
        rtt_ms=st.none() | st.integers(0, 900),
        signal_dbm=st.none() | st.integers(-120, 0),
    ),
    st.builds(
        Fault, **_BASE, code=st.sampled_from(("page_hung", "disk_full")), component=st.sampled_from((None, "mpv"))
    ),
    st.builds(Screen, **_BASE, screen=st.just("main"), state=st.just("active")),
    st.builds(Lifecycle, **_BASE, action=st.just("boot")),
)


class History(RuleBasedStateMachine):
    """A hub's life; it begins with an empty database and three sites."""

    connection: psycopg.Connection

    def __init__(self) -> None:
        super().__init__()
        empty(self.connection)
        self.store = LedgerStore(self.connection)
        self.sent: dict[tuple[str, int], AnyEvent] = {}
        self.accepted: dict[tuple[str, int], AnyEvent] = {}

    @rule(
        stream=st.sampled_from(sorted(STREAMS)),
        numbers=st.sets(st.integers(1, 12), min_size=1, max_size=8),
        events=st.lists(_EVENTS, min_size=8, max_size=8),
        live=st.booleans(),
    )
    def deliver(self, stream: str, numbers: set[int], events: Sequence[AnyEvent], *, live: bool) -> None:
        """A batch: late, early, again, or with a part that is known."""
        batch = []
        for number, event in zip(sorted(numbers), events, strict=False):
            known = self.sent.setdefault((stream, number), msgspec.structs.replace(event, seq=number))
            batch.append(known)
            self.accepted[stream, number] = known
        commit(self.store, [delivery(batch, device=STREAMS[stream], stream=stream, live=live)], [], NOW_MS)

    @rule(days=st.integers(2, 45))
    def expire(self, days: int) -> None:
        """Rows go; their counts stay."""
        now = datetime.fromtimestamp(NOW_MS / 1000, UTC)
        kept: dict[Kind, int] = dict.fromkeys(KINDS, days)
        maintain(self.connection, kept, 60, now, lambda _text: None)

    @precondition(lambda self: self.accepted)
    @rule(device=st.sampled_from(DEVICES), site=st.sampled_from(SITES), hours=st.none() | st.integers(0, 50 * 24))
    def move(self, device: str, site: str, hours: int | None) -> None:
        """Somebody says where a device stands, or stood."""
        if self.connection.execute("SELECT 1 FROM device WHERE name = %s", (device,)).fetchone() is None:
            return
        since = (
            None if hours is None else datetime.fromtimestamp(NOW_MS / 1000, UTC) - timedelta(hours=hours, minutes=7)
        )
        with self.connection.transaction():
            place(self.connection, device, site, since)

    @rule(
        gate=st.sampled_from(SITES),
        province=st.sampled_from(PROVINCES),
        since=st.sampled_from(("", "từ đầu"))
        | st.integers(-3, 50).map(lambda days: f"{_TODAY - timedelta(days=days)}"),
    )
    def change_province(self, gate: str, province: str, since: str) -> None:
        """A file says in which province a gate lies, from a day on: what stands at it gets new placements."""
        head = "code,name_vi,neighbour,gate_type,province_code,since,lat,lon,confidence"
        text = f"{head}\n{gate},x,CN,phu,{province},{since},,,"
        moment = datetime.fromtimestamp(NOW_MS / 1000, UTC)
        import_file(self.connection, kind_of("gates"), text.encode(), by="test", now=moment)

    @rule()
    def rebuild(self) -> None:
        """Counts are made from the rows again, where all rows are there."""
        for device in recount.devices(self.connection):
            recount.rebuild(self.connection, device)

    @invariant()
    def counts_are_the_sums(self) -> None:
        """Of everything ever accepted, at the place where it happened."""
        expected = self._expected()
        for hourly in HOURLY:
            assert counted(self.connection, hourly) == expected.sums.get(hourly.kind, {}), hourly.table
        rows = self.connection.execute(
            "SELECT placement, (extract(epoch FROM bucket) / 3600)::bigint, kind::text, events FROM event_hour"
        ).fetchall()
        assert {(placement, hour, kind): events for placement, hour, kind, events in rows} == expected.events

    @invariant()
    def every_placement_is_of_one_province(self) -> None:
        """Its gate's, all the while."""
        wrong = self.connection.execute(
            "SELECT p.id FROM (SELECT *, lead(since, 1, 'infinity') OVER (PARTITION BY device ORDER BY since) AS until"
            " FROM placement) p JOIN site s ON s.code = p.site LEFT JOIN gate_period g"
            " ON g.gate = s.gate AND begin_of(g.since) > p.since AND begin_of(g.since) < p.until"
            " WHERE p.province_code <> gate_province(s.gate, p.since)"
            " OR (g.gate IS NOT NULL AND p.province_code <> g.province_code)"
        ).fetchall()
        assert wrong == []

    def teardown(self) -> None:
        for device in recount.devices(self.connection):
            assert recount.differences(self.connection, device) == []
        assert audit(self.connection).ok

    def _expected(self) -> Tally:
        placements = {name: self._placements(name) for name in DEVICES}
        groups = {hourly.kind: hourly.group_of for hourly in HOURLY}
        cells = []
        for (stream, _), event in self.accepted.items():
            placement = placements[STREAMS[stream]].at(event.time)
            group = groups.get(event.KIND, lambda _event: ())(event)
            cells.append(Cell(event.KIND, placement, hour_of(event.time), [event], [group]))
        return Tally(cells)

    def _placements(self, device: str) -> Placements:
        rows = self.connection.execute(
            "SELECT CASE WHEN since = '-infinity' THEN 0 ELSE extract(epoch FROM since) * 1000 END::bigint, p.id"
            " FROM placement p JOIN device d ON d.id = device WHERE name = %s ORDER BY since",
            (device,),
        ).fetchall()
        return Placements([row[0] for row in rows], [row[1] for row in rows]) if rows else Placements([0], [0])


def empty(connection: psycopg.Connection) -> None:
    """No events, no devices, three sites; one of them has changed its province."""
    connection.execute(
        f"TRUNCATE {', '.join(KINDS)}, {', '.join(TABLES)}, stream, retired, rejected, device, placement, screen_now,"
        " device_now, session, presence, incident, expiry, site, gate, province CASCADE"
    )
    for code in SITES:
        put_site(connection, code)
    put_period(connection, SITES[-1], _TODAY - timedelta(days=20), PROVINCES[1])


def counted(connection: psycopg.Connection, hourly: HourlyCount) -> dict[Any, tuple[int, ...]]:
    """A count table as a tally has it."""
    contents = "content" in hourly.group
    group = [
        "jsonb_build_array(content_ref, encode(content_sha256, 'hex'))" if name == "content" else f"{name}::text"
        for name in hourly.group
    ]
    join = " JOIN shown_content c ON c.id = content" if contents else ""
    columns = ", ".join(["placement", "(extract(epoch FROM bucket) / 3600)::bigint", *group, *hourly.sums])
    found = {}
    for placement, hour, *rest in connection.execute(f"SELECT {columns} FROM {hourly.table}{join}".encode()).fetchall():
        key, sums = rest[: len(hourly.group)], rest[len(hourly.group) :]
        if contents:
            key[0] = tuple(key[0])
        found[placement, hour, tuple(key)] = tuple(sums)
    return found


def test_every_count_is_the_sum_of_everything_ever_accepted(connection: psycopg.Connection) -> None:
    class Here(History):
        """Over the engine of this test."""

    Here.connection = connection
    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=30,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
