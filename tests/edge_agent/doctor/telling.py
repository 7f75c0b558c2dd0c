"""Whatever a check finds can be told in both languages."""

from __future__ import annotations

from collections.abc import Iterable

from edge_agent.doctor.finding import Finding
from edge_agent.doctor.report import lines
from edge_agent.words import LANGUAGES


def told(findings: Iterable[Finding | None]) -> dict[str, tuple[str, str]]:
    """Outcome and key of each finding by id; a finding that cannot be told fails the test."""
    found = [finding for finding in findings if finding is not None]
    for finding in found:
        for language in LANGUAGES:
            text = " ".join(lines(finding, language))
            assert "{" not in text, text
            assert "@" not in text, text
            if finding.outcome != "ok":
                assert " -> " in text, f"{finding.said} gives no advice in {language}"
    assert len({finding.id for finding in found}) == len(found), "ids are unique"
    return {finding.id: (finding.outcome, finding.said) for finding in found}
