"""The judge of verdicts and incidents: each kind of damage, and what is none."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import psycopg
import pytest

from edge_agent.observation import Content
from hub.catalogue.topics import shipped
from hub.store.catalogue import Hand, import_contents, import_topics
from hub.store.ledger_store import LedgerStore
from hub.store.moment import moment
from simulator import incidents, truth
from simulator.incidents import Incident, Judgement, Shown, compare, text_of
from simulator.truth import Stranger, TruthError
from tests.hub.catalogue.making import A, contents_file
from tests.hub.making import DEVICE, NOW_MS, delivery, play

GOOD: Final = Content("le-hoi.mp4", A)
CUT: Final = Content("le-hoi.mp4", "0b" * 32)
STRANGE: Final = Content("quang-cao.mp4", "0c" * 32)
NOTES: Final = [Stranger(DEVICE, CUT, "altered", NOW_MS), Stranger(DEVICE, STRANGE, "unknown", NOW_MS)]
SHOWN: Final = [
    Shown(DEVICE, GOOD, ("approved",), 7, 1_000.0),
    Shown(DEVICE, CUT, ("altered",), 2, 2_000.0),
]
RAISED: Final = {Incident(DEVICE, "le-hoi.mp4", "altered"): 2_000.0}


def _damage(judgement: Judgement) -> dict[str, int]:
    names = ("missing", "unexpected", "misjudged")
    found = {name: getattr(judgement, name) for name in names if getattr(judgement, name)}
    assert judgement.ok == (not found)
    assert judgement.examples.keys() == found.keys()
    return found


def test_what_never_came_to_a_row_needs_no_incident() -> None:
    judgement = compare(SHOWN, RAISED, NOTES, [GOOD])
    assert _damage(judgement) == {}
    assert (judgement.incidents, judgement.plays) == (1, {"approved": 7, "altered": 2})
    assert (judgement.after_commit_ms_p50, judgement.after_commit_ms_p99) == (0.0, 0.0)
    assert text_of(judgement).startswith("PASS: 1 incidents of contents, missing 0, unexpected 0, misjudged 0\n")


def test_an_incident_that_is_missing() -> None:
    judgement = compare(SHOWN, {}, NOTES, [GOOD])
    assert _damage(judgement) == {"missing": 1}
    assert judgement.examples["missing"] == [f"{DEVICE} le-hoi.mp4: altered"]
    assert judgement.after_commit_ms_p99 is None
    assert text_of(judgement).startswith("FAIL: ")


@pytest.mark.parametrize(
    "other",
    [
        Incident(DEVICE, "le-hoi.mp4", "expired"),
        Incident("other", "le-hoi.mp4", "altered"),
        Incident(DEVICE, "x", "unknown"),
    ],
    ids=["for another reason", "on another device", "of nothing that was shown"],
)
def test_an_incident_without_a_reason(other: Incident) -> None:
    assert _damage(compare(SHOWN, {**RAISED, other: 1.0}, NOTES, [GOOD])) == {"unexpected": 1}


def test_a_verdict_that_is_not_the_simulations() -> None:
    for verdicts in (("approved",), ("none",), ("altered", "unknown")):
        shown = [SHOWN[0], SHOWN[1]._replace(verdicts=verdicts)]
        assert _damage(compare(shown, RAISED, NOTES, [GOOD])) == {"misjudged": 1}


def test_what_nobody_made_is_unknown_to_all() -> None:
    shown = [Shown(DEVICE, Content("chrome-error://x"), ("unknown",), 1, 5.0)]
    assert _damage(compare(shown, {Incident(DEVICE, "chrome-error://x", "unknown"): 8.5}, [], [])) == {}
    assert _damage(compare(shown, {}, [], [])) == {"missing": 1}


def test_an_approved_content_that_the_hub_complains_of() -> None:
    shown = [Shown(DEVICE, GOOD, ("unknown",), 1, 5.0)]
    raised = {Incident(DEVICE, GOOD.ref, "unknown"): 5.0}
    assert _damage(compare(shown, raised, [], [GOOD])) == {"unexpected": 1, "misjudged": 1}


def test_how_long_after_the_rows() -> None:
    shown = [Shown(DEVICE, Content(f"{number}"), ("unknown",), 1, 1_000.0) for number in range(1, 101)]
    raised = {Incident(DEVICE, f"{number}", "unknown"): 1_000.0 + number for number in range(1, 101)}
    judgement = compare(shown, raised, [], [])
    assert (judgement.after_commit_ms_p50, judgement.after_commit_ms_p99) == (50.0, 99.0)


def test_the_database_as_the_hub_writes_it(database: str, connection: psycopg.Connection) -> None:
    import_topics(connection, shipped())
    row = {"refs": GOOD.ref, "media_sha256": A, "valid_from": "01/01/2000", "valid_until": ""}
    import_contents(connection, contents_file(row), Hand("an", moment(NOW_MS)))
    store = LedgerStore(connection)
    for seq, content in enumerate((GOOD, CUT, STRANGE, STRANGE), 1):
        event = play(seq, content_ref=content.ref, content_sha256=content.sha256)
        store.commit([delivery([event])], [], NOW_MS + seq)
    judgement = incidents.judge(database, NOTES, [GOOD])
    assert _damage(judgement) == {}
    assert (judgement.incidents, judgement.plays) == (2, {"unknown": 2, "approved": 1, "altered": 1})
    assert (judgement.after_commit_ms_p50, judgement.after_commit_ms_p99) == (0.0, 0.0)

    same = "SELECT i.xmin = p.xmin FROM incident i JOIN play p ON p.stored_at = i.opened_at WHERE i.times = 1"
    assert connection.execute(same).fetchall() == [(True,)], "equal stamps are one transaction"

    connection.execute("UPDATE incident SET closed_at = now(), closed_by = 'nguyen.an'")
    assert _damage(incidents.judge(database, NOTES, [GOOD])) == {}, "somebody has looked after it"
    connection.execute("UPDATE incident SET closed_by = 'catalogue' WHERE kind = 'content_altered'")
    assert _damage(incidents.judge(database, NOTES, [GOOD])) == {"missing": 1}
    connection.execute("DELETE FROM incident")
    assert _damage(incidents.judge(database, NOTES, [GOOD])) == {"missing": 2}


def test_notes_are_read_as_they_were_written(tmp_path: Path) -> None:
    file = tmp_path / "truth.jsonl"
    assert list(truth.read(file)) == []
    for one in NOTES:
        truth.note(file, one)
    assert list(truth.read(file)) == NOTES
    with file.open("ab") as notes:
        notes.write(b'{"device": "x"}\n')
    with pytest.raises(TruthError, match=r"truth.jsonl, line 3: "):
        list(truth.read(file))
