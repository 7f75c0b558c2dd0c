from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import count
from pathlib import Path

import msgspec
import psycopg
import pytest
from msgspec.structs import replace

from contract.batch import Batch
from contract.events import EVENT_KINDS, AnyEvent, Health, Play
from edge_agent.outbox.store import Entry, Position
from hub.ledger.reading import Unreadable
from hub.ledger.rules import Delivery, StreamKey
from hub.store.ledger_store import LedgerStore
from simulator import fingerprint, oracle
from simulator.claims import LEAVING_MS
from simulator.errors import SimulatorError
from simulator.journal import Journal, JournalError
from simulator.oracle import Verdict
from tests.hub.making import NOW_MS, fault, loss, play
from tests.hub.strategies import extremes

DEVICE = "bg-20-cma-k1"
STREAM = "a1" * 16
JOURNALED = [event for event in EVENT_KINDS if event.KIND in fingerprint.FIELDS]


class Border:
    """Devices that keep journals, and a hub that stores what it is given."""

    def __init__(self, folder: Path, dsn: str, connection: psycopg.Connection) -> None:
        self.folder, self.dsn, self.db = folder, dsn, connection
        self.store = LedgerStore(connection)
        self.journals: dict[str, Journal] = {}

    def journal(self, device: str = DEVICE) -> Journal:
        if device not in self.journals:
            self.journals[device] = Journal(self.folder / f"{device}.journal", device)
        return self.journals[device]

    def accept(self, *events: AnyEvent, device: str = DEVICE, online: bool = True, stream: str = STREAM) -> None:
        journal = self.journal(device)
        ids = self.intend(*events, device=device)
        journal.accept(ids, [Position(stream, event.seq) for event in events], online=online)

    def intend(self, *events: AnyEvent, device: str = DEVICE) -> list[str]:
        return self.journal(device).intend([Entry(event, 0) for event in events])

    def commit(self, *events: AnyEvent, device: str = DEVICE, stream: str = STREAM) -> None:
        self.store.commit([Delivery(device, Batch(stream=stream, events=list(events)))], [], NOW_MS)

    def reject(self, seq: int, event: bytes) -> None:
        self.store.commit([], [Unreadable(StreamKey(DEVICE, STREAM), "", seq, event, "invalid")], NOW_MS)

    def judge(self, *, measure_from_ms: int = 0) -> Verdict:
        return oracle.judge(self.dsn, self.folder.glob("*.journal"), measure_from_ms=measure_from_ms)


@pytest.fixture
def border(tmp_path: Path, database: str, connection: psycopg.Connection) -> Border:
    return Border(tmp_path, database, connection)


def _damage(verdict: Verdict) -> dict[str, int]:
    counts = msgspec.to_builtins(verdict)
    names = ("lost", "duplicated", "foreign", "contradicted")
    assert verdict.ok == (not any(counts[name] for name in names))
    return {name: counts[name] for name in names if counts[name]}


def _every_kind() -> list[AnyEvent]:
    """Smallest, largest and ordinary ones."""
    numbers = count(1)
    made = [
        replace(extremes(kind, highest=high), seq=next(numbers), clock="synced")
        for kind in JOURNALED
        for high in (False, True)
    ]
    warm = Health(seq=next(numbers), time=NOW_MS, temperature_c=41.3, undervoltage=False)
    return [*made, warm, play(next(numbers), content_sha256="0f" * 32), fault(next(numbers), 'đứng "hình" \\ \n')]


def test_everything_stored_passes(border: Border) -> None:
    events = _every_kind()
    border.accept(*events)
    border.commit(*events)
    verdict = border.judge()
    assert _damage(verdict) == {}
    assert (verdict.produced, verdict.stored, verdict.declared) == (len(events), len(events), 0)
    assert {event.KIND for event in events} == set(fingerprint.FIELDS)


def test_the_contract_has_no_other_single_precision_number() -> None:
    floats = {
        field.encode_name
        for kind in EVENT_KINDS
        for field in msgspec.structs.fields(kind)
        if "float" in str(field.type)
    }
    assert floats == fingerprint.FLOATS


def test_an_event_that_was_accepted_and_is_missing_is_lost(border: Border) -> None:
    border.accept(*map(fault, range(1, 31)))
    border.commit(*map(fault, range(1, 6)))
    verdict = border.judge()
    assert _damage(verdict) == {"lost": 25}
    assert len(verdict.examples["lost"]) == 20
    assert f"{DEVICE} {STREAM} 6: fault accepted at" in verdict.examples["lost"][0]


def test_an_event_that_was_only_meant_may_be_stored_or_not(border: Border) -> None:
    border.intend(fault(1), fault(2))
    border.commit(fault(1))
    verdict = border.judge()
    assert _damage(verdict) == {}
    assert (verdict.produced, verdict.stored, verdict.unanswered) == (0, 1, 1)
    border.commit(fault(1), stream="b2" * 16)
    assert _damage(border.judge()) == {"foreign": 1}, "one intent stands for one row"


def test_a_declared_loss_is_no_loss_and_is_counted(border: Border) -> None:
    border.accept(fault(1), fault(2), fault(3))
    border.commit(fault(1), loss(4, (2, 3)))
    verdict = border.judge()
    assert _damage(verdict) == {}
    assert (verdict.produced, verdict.stored, verdict.declared) == (3, 2, 2)


def test_a_declared_event_that_arrives_all_the_same_counts_as_stored(border: Border) -> None:
    border.accept(fault(1), fault(2))
    border.commit(fault(1), loss(4, (2, 2)))
    border.commit(fault(2))
    verdict = border.judge()
    assert _damage(verdict) == {}
    assert (verdict.stored, verdict.declared) == (3, 0)


def test_what_the_hub_keeps_as_bytes_is_stored(border: Border) -> None:
    border.accept(fault(1), fault(2))
    border.intend(fault(3, "killed"))
    border.reject(1, b"not even JSON")
    border.reject(2, msgspec.json.encode(fault(2)))
    border.reject(3, msgspec.json.encode(fault(3, "killed")))
    verdict = border.judge()
    assert _damage(verdict) == {}
    assert (verdict.stored, verdict.rejected, verdict.unanswered) == (3, 3, 1)
    border.reject(4, msgspec.json.encode(fault(4)))
    assert _damage(border.judge()) == {"foreign": 1}


_INSERT_TWIN = "INSERT INTO {table} SELECT * FROM {table} WHERE seq = {seq}"


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        ("DELETE FROM {table} WHERE seq = {seq}", {"lost": 1}),
        (_INSERT_TWIN, {"duplicated": 1}),
        ("UPDATE {table} SET time = time + interval '1 ms' WHERE seq = {seq}", {"foreign": 1}),
        ("UPDATE {table} SET seq = 900 + {seq} WHERE seq = {seq}", {"lost": 1, "foreign": 1}),
        ("UPDATE {table} SET device = 4711 WHERE seq = {seq}", {"lost": 1, "foreign": 1}),
        ("UPDATE stream SET lost = lost + '{{[{seq},{after})}}'", {"contradicted": 2}),
    ],
)
def test_damage_of_every_kind_is_found(border: Border, damage: str, expected: dict[str, int]) -> None:
    events = _every_kind()
    border.accept(*events)
    border.commit(*events)
    for kind in fingerprint.FIELDS:
        seq = next(event.seq for event in events if kind == event.KIND)
        border.db.execute(damage.format(table=kind, seq=seq, after=seq + 1).encode())
    kinds = len(fingerprint.FIELDS)
    assert _damage(border.judge()) == {what: count * kinds for what, count in expected.items()}


def test_a_provisional_time_is_not_what_is_stored(border: Border) -> None:
    told = replace(fault(1), clock="estimated")
    border.accept(told)
    border.commit(replace(told, time=NOW_MS - 5_000_000, clock="repaired"))
    assert border.judge().ok
    border.db.execute("UPDATE fault SET reason = 'another'")
    assert _damage(border.judge()) == {"foreign": 1}


def test_every_field_counts(border: Border) -> None:
    events = _every_kind()
    border.accept(*events)
    border.commit(*events)
    changes = [
        ("shown_content", "content_ref", "'khac.mp4'"),
        ("shown_content", "content_sha256", "NULL"),
        ("play", "panel", "'off'"),
        ("play", "rendering", "NOT rendering"),
        ("health", "temperature_c", "41.4"),
        ("health", "undervoltage", "NULL"),
        ("fault", "reason", "reason || ' '"),
    ]
    for table, column, value in changes:
        last = "id" if table == "shown_content" else "seq"
        where = f"WHERE {last} = (SELECT max({last}) FROM {table})"
        before = border.db.execute(f"SELECT {column} FROM {table} {where}".encode()).fetchone()
        border.db.execute(f"UPDATE {table} SET {column} = {value} {where}".encode())
        assert _damage(border.judge()) == {"foreign": 1}, (table, column)
        border.db.execute(f"UPDATE {table} SET {column} = %s {where}".encode(), before)
    assert _damage(border.judge()) == {}


def test_losses_and_ledger_must_say_the_same(border: Border) -> None:
    border.accept(fault(1), fault(2), fault(3))
    border.commit(fault(1), loss(4, (2, 3)))
    border.db.execute("DELETE FROM loss")
    assert _damage(border.judge()) == {"contradicted": 2}
    border.db.execute("UPDATE stream SET lost = '{}'")
    assert _damage(border.judge()) == {"lost": 2}
    border.commit(loss(5, (2, 3)))
    border.db.execute("UPDATE stream SET lost = '{[2,3)}'")
    assert _damage(border.judge()) == {"lost": 1, "contradicted": 1}


def test_a_device_without_a_journal_is_foreign(border: Border) -> None:
    border.accept(fault(1))
    border.commit(fault(1))
    border.commit(fault(1), fault(2), device="bg-99-xxx-k1")
    assert _damage(border.judge()) == {"foreign": 2}


def test_a_number_given_twice_is_foreign(border: Border) -> None:
    border.accept(fault(1))
    border.accept(fault(1))
    border.commit(fault(1))
    assert _damage(border.judge()) == {"foreign": 1}


def test_devices_do_not_stand_for_each_other(border: Border) -> None:
    other = "bg-20-cma-k2"
    border.accept(fault(1))
    border.accept(fault(1), device=other)
    border.commit(fault(1))
    assert _damage(border.judge()) == {"lost": 1}
    border.commit(fault(1), device=other)
    assert _damage(border.judge()) == {}


def _intent(changed_ms: int, event: AnyEvent, name: str) -> dict[str, object]:
    content = msgspec.to_builtins(event)
    del content["seq"]
    return {"record": "intent", "device": DEVICE, "id": name, "at_ms": changed_ms, "boottime_ms": 0, "event": content}


def _accepted(at_ms: int, seq: int, *, online: bool) -> dict[str, object]:
    return {"record": "accepted", "id": str(seq), "stream": STREAM, "seq": seq, "at_ms": at_ms, "online": online}


def _write(folder: Path, records: Sequence[dict[str, object]]) -> None:
    head: dict[str, object] = {"record": "opened", "device": DEVICE, "at_ms": 0}
    (folder / "one.journal").write_text("".join(json.dumps(record) + "\n" for record in [head, *records]))


def test_delays_are_of_screens_that_were_online(border: Border) -> None:
    plays: list[Play] = [play(seq) for seq in range(1, 6)]
    border.commit(*plays)
    border.commit(fault(6))
    row = border.db.execute(
        "SELECT max((extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000)::bigint) FROM play"
    ).fetchone()
    assert row is not None
    done = int(row[0])
    cases = [(200, True), (900, True), (5_000, False), (60_000, True), (400, True)]
    records = [_intent(done - ago, event, str(event.seq)) for event, (ago, _) in zip(plays, cases, strict=True)]
    records += [_accepted(done - ago + 5, seq, online=online) for seq, (ago, online) in enumerate(cases, start=1)]
    records += [_intent(done - 90, fault(6), "6"), _accepted(done - 80, 6, online=True)]
    left_ms = done - 400 + 5 + LEAVING_MS - 1
    _write(border.folder, [*records, {"record": "link", "online": False, "at_ms": left_ms}])
    verdict = border.judge(measure_from_ms=done - 30_000)
    assert verdict.excluded == {"warm_up": 1, "offline": 1, "leaving": 3}
    links = [{"record": "link", "online": off, "at_ms": done - ago} for off, ago in ((False, 300), (True, 290))]
    _write(border.folder, [*records, *links])
    verdict = border.judge(measure_from_ms=done - 30_000)
    assert verdict.ok
    assert verdict.excluded == {"warm_up": 1, "offline": 1, "leaving": 2}
    assert verdict.online_events == 1
    assert verdict.delay_ms_p50 == pytest.approx(200, abs=2)
    assert verdict.delay_by_kind.keys() == {"play", "fault"}


def test_percentiles_are_of_the_nearest_rank() -> None:
    from array import array

    found = oracle._delay([array("f", range(1, 151)), array("f", range(151, 201))])
    assert (found.events, found.p50_ms, found.p99_ms, found.max_ms) == (200, 100, 198, 200)
    assert oracle._delay([]).p99_ms is None


def test_a_journal_must_be_whole_and_of_one_device(border: Border, tmp_path: Path) -> None:
    _write(tmp_path, [_accepted(1, 1, online=True)])
    with pytest.raises(JournalError, match="was accepted and never intended"):
        border.judge()
    _write(tmp_path, [{**_intent(1, fault(1), "1"), "device": "other"}])
    with pytest.raises(JournalError, match="a journal of bg-20-cma-k1 tells of other"):
        border.judge()
    (tmp_path / "one.journal").write_text("")
    with pytest.raises(JournalError, match="is no journal"):
        border.judge()


def test_a_contract_that_grew_is_noticed(border: Border, monkeypatch: pytest.MonkeyPatch) -> None:
    border.accept(fault(1))
    grown = {**fingerprint.FIELDS, "fault": {**fingerprint.FIELDS["fault"], "severity": None}}
    monkeypatch.setattr(fingerprint, "FIELDS", grown)
    with pytest.raises(SimulatorError, match=r"stored_events\.sql, fault"):
        border.judge()


@pytest.fixture
def dsn_file(border: Border, tmp_path: Path) -> Path:
    file = tmp_path / "dsn"
    file.write_text(border.dsn + "\n")
    return file


def test_the_command(border: Border, dsn_file: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    border.accept(fault(1))
    arguments = ["--dsn-file", str(dsn_file), str(tmp_path / f"{DEVICE}.journal")]
    assert oracle.main(arguments) == 1
    assert capsys.readouterr().out.startswith("FAIL: lost 1, duplicated 0")
    border.commit(fault(1))
    assert oracle.main([*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["stored"] == 1
    dsn_file.write_text("postgresql://nobody@127.0.0.1:1/none")
    assert oracle.main(arguments) == 2
    assert capsys.readouterr().err.startswith("oracle: ")
    assert oracle.main(["--dsn-file", str(tmp_path / "none"), "x"]) == 2
