"""The doctor's report: as lines for a terminal, as JSON for programs, and back from that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec
from msgspec import Struct

from edge_agent import words
from edge_agent.doctor.finding import OUTCOMES, Fact, Finding, Outcome
from edge_agent.words import Language

_WIDTH: Final = 9
"""Of the longest word for an outcome, in columns."""


class Item(Struct, frozen=True, kw_only=True):
    """One finding for programs. `id` and `outcome` are stable; `detail` and `advice` are in the report's language.

    `said` and `facts` are what these were made of, for whoever wants them in another language.
    """

    id: str
    outcome: Outcome
    title: str
    detail: str
    advice: str
    said: str
    facts: dict[str, Fact]


class Report(Struct, frozen=True, kw_only=True):
    """`outcome` is the worst of all checks; only `fail` makes the command's exit code 1."""

    outcome: Outcome
    device: str
    language: Language
    checks: list[Item]

    def findings(self) -> list[Finding]:
        """What it was made of."""
        return [Finding(item.id, item.outcome, item.said, item.facts) for item in self.checks]


def worst(findings: Iterable[Finding]) -> Outcome:
    """The worst outcome; of no findings at all, ok."""
    return max((finding.outcome for finding in findings), key=OUTCOMES.index, default="ok")


def report(findings: Sequence[Finding], device: str, language: Language) -> Report:
    """All of it."""
    return Report(
        outcome=worst(findings),
        device=device,
        language=language,
        checks=[item(finding, language) for finding in findings],
    )


def item(finding: Finding, language: Language) -> Item:
    """One finding in words."""
    detail, advice = words.found(language, finding.said, finding.facts)
    return Item(
        id=finding.id,
        outcome=finding.outcome,
        title=words.title(language, finding.kind),
        detail=detail,
        advice=advice,
        said=finding.said,
        facts=finding.facts,
    )


def read(data: bytes | str) -> Report:
    """A report from its JSON. msgspec.MsgspecError if it is none."""
    return msgspec.json.decode(data, type=Report)


def lines(finding: Finding, language: Language) -> Iterator[str]:
    """One finding for a terminal; what to do stands below it."""
    told = item(finding, language)
    outcome = words.plain(language, f"outcome.{finding.outcome}")
    yield f"[{outcome}]{' ' * (_WIDTH - len(outcome))} {told.title}: {told.detail}"
    if told.advice and finding.outcome != "ok":
        yield f"{' ' * (_WIDTH + 2)} -> {told.advice}"


def summary(findings: Sequence[Finding], language: Language) -> str:
    """The last line."""
    if worst(findings) == "ok":
        return words.plain(language, "doctor.good")
    outcomes = [finding.outcome for finding in findings]
    counts = {outcome: outcomes.count(outcome) for outcome in OUTCOMES}
    return words.plain(language, "doctor.summary", **counts)
