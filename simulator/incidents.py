"""The judge of verdicts and incidents: what the stories put on the screens beside what the hub makes of its rows.

It begins where the oracle ends, who proves that the rows are what the sources recorded, no more and no less. Of every
content that has a row the simulation knows by how it was made what it is: a stranger that the story noted, or one that
may be shown. The hub has to have that verdict, and an incident for each (device, content) that is not approved,
and no other. A stranger whose device was killed or is cut off before it could tell of it has no row, and needs none.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.resources import files
from typing import Final, NamedTuple

import psycopg
from msgspec import Struct

from edge_agent.observation import Content
from simulator.truth import Stranger

EXAMPLES: Final = 20
APPROVED: Final = "approved"
UNKNOWN: Final = "unknown"


class Incident(NamedTuple):
    """What an incident of a content is about."""

    device: str
    content_ref: str
    what: str


class Shown(NamedTuple):
    """A content on a device, as the hub has it."""

    device: str
    content: Content
    verdicts: tuple[str, ...]
    plays: int
    first_stored_ms: float


class Judgement(Struct, frozen=True, kw_only=True):
    """What was found; `examples` names up to 20 of each kind of damage."""

    incidents: int
    """Of contents, but for those that the catalogue has taken back."""
    missing: int
    """Contents not approved that have a row and no incident."""
    unexpected: int
    """Incidents of what is approved, was never shown, or is something else."""
    misjudged: int
    """Contents on a device whose verdict is another one than the simulation knows."""
    plays: dict[str, int]
    """Plays by the hub's verdict."""
    after_commit_ms_p50: float | None
    """From the transaction that stored the first row to the one that raised the incident, by the stamps that the hub
    gave them; 0: it was the same, so that nobody can see the one without the other."""
    after_commit_ms_p99: float | None
    examples: dict[str, list[str]]

    @property
    def ok(self) -> bool:
        """The hub says of every content what it is."""
        return not (self.missing or self.unexpected or self.misjudged)


def judge(dsn: str, strangers: Iterable[Stranger], approved: Iterable[Content]) -> Judgement:
    """The judgement over all rows. Sources rest. psycopg.Error if the database cannot be read."""
    with psycopg.connect(dsn, application_name="oracle") as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        shown = [
            Shown(device, Content(ref, sha256), tuple(verdicts), plays, stored_ms)
            for device, ref, sha256, verdicts, plays, stored_ms in connection.execute(_QUERIES["shown"])
        ]
        raised = {Incident(*row[:3]): float(row[3]) for row in connection.execute(_QUERIES["raised"])}
    return compare(shown, raised, strangers, approved)


def compare(
    shown: Sequence[Shown],
    raised: Mapping[Incident, float],
    strangers: Iterable[Stranger],
    approved: Iterable[Content],
) -> Judgement:
    """The same of what was read; `raised`: incidents with the stamps of their transactions, Unix ms."""
    known = _Known(strangers, approved)
    wrong: dict[Incident, float] = {}
    for one in shown:
        what = known.what(one.device, one.content)
        if what != APPROVED:
            incident = Incident(one.device, one.content.ref, what)
            wrong[incident] = min(one.first_stored_ms, wrong.get(incident, math.inf))
    damage = {
        "missing": [_told(one) for one in sorted(wrong.keys() - raised.keys())],
        "unexpected": [_told(one) for one in sorted(raised.keys() - wrong.keys())],
        "misjudged": list(_misjudged(shown, known)),
    }
    after_ms = sorted(raised[one] - stored_ms for one, stored_ms in wrong.items() if one in raised)
    return Judgement(
        incidents=len(raised),
        missing=len(damage["missing"]),
        unexpected=len(damage["unexpected"]),
        misjudged=len(damage["misjudged"]),
        plays=_plays(shown),
        after_commit_ms_p50=_percentile(after_ms, 0.5),
        after_commit_ms_p99=_percentile(after_ms, 0.99),
        examples={name: found[:EXAMPLES] for name, found in damage.items() if found},
    )


class _Known:
    """What the simulation knows of contents."""

    def __init__(self, strangers: Iterable[Stranger], approved: Iterable[Content]) -> None:
        self._noted = {(one.device, one.content): one.what for one in strangers}
        self._approved = frozenset(approved)

    def what(self, device: str, content: Content) -> str:
        """What it is on this device; a content that nobody has made is unknown to all."""
        noted = self._noted.get((device, content))
        return noted or (APPROVED if content in self._approved else UNKNOWN)


def _misjudged(shown: Iterable[Shown], known: _Known) -> Iterator[str]:
    for one in shown:
        what = known.what(one.device, one.content)
        if one.verdicts != (what,):
            yield f"{one.device} {one.content.ref}: is {what}, the hub says {', '.join(one.verdicts)}"


def _plays(shown: Iterable[Shown]) -> dict[str, int]:
    """Of days with several verdicts each would count; the simulation makes none, and they are told as misjudged."""
    counts: Counter[str] = Counter()
    for one in shown:
        counts["/".join(one.verdicts)] += one.plays
    return dict(counts.most_common())


def _told(incident: Incident) -> str:
    return f"{incident.device} {incident.content_ref}: {incident.what}"


def _percentile(values: Sequence[float], share: float) -> float | None:
    return round(values[math.ceil(share * len(values)) - 1], 1) if values else None


def text_of(judgement: Judgement) -> str:
    """The judgement for a person."""
    names = ("missing", "unexpected", "misjudged")
    plays = ", ".join(f"{what} {count}" for what, count in judgement.plays.items()) or "none"
    lines = [
        ("PASS: " if judgement.ok else "FAIL: ")
        + f"{judgement.incidents} incidents of contents, "
        + ", ".join(f"{name} {getattr(judgement, name)}" for name in names),
        f"plays by verdict: {plays}",
        f"commit to incident, ms: p50 {judgement.after_commit_ms_p50}, p99 {judgement.after_commit_ms_p99}"
        " (0: one transaction)",
    ]
    lines += [f"  {what}: {example}" for what, examples in judgement.examples.items() for example in examples]
    return "\n".join(lines)


def _queries() -> dict[str, bytes]:
    text = (files("simulator") / "incidents.sql").read_text(encoding="utf-8")
    parts = re.split(r"^-- name: (\w+)\n", text, flags=re.MULTILINE)
    return {name: query.encode() for name, query in zip(parts[1::2], parts[2::2], strict=True)}


_QUERIES: Final = _queries()
