"""All checks beside each other, each with a deadline, told in the order of the list.

A check that hangs (a resolver, a dead disk) is left behind in its thread and reported as such; the process ends
without it. So an examination ends at the latest after the longest deadline.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Sequence

from edge_agent.doctor.finding import Finding, fail
from edge_agent.doctor.place import Place
from edge_agent.doctor.registry import CHECKS, Check

log = logging.getLogger(__name__)


class _Run(threading.Thread):
    """One check under way; its findings can be taken at any time."""

    def __init__(self, check: Check, place: Place) -> None:
        super().__init__(name=f"check {check.name}", daemon=True)
        self.check, self._place = check, place
        self.findings: list[Finding] = []
        self.bug = ""

    def run(self) -> None:
        """What a check raises is a bug of ours: it becomes a finding, and the other checks go on."""
        try:
            for finding in self.check.run(self._place):
                self.findings.append(finding)
        except Exception as error:
            log.exception("check %s has a bug", self.check.name)
            self.bug = f"{type(error).__name__}: {error}"

    def result(self, began_s: float) -> list[Finding]:
        """What it has found by its deadline."""
        self.join(max(0.0, began_s + self.check.deadline_s - time.monotonic()))
        found = list(self.findings)
        if self.is_alive():
            found.append(fail(f"{self.check.name}.unfinished", "check.hangs", seconds=round(self.check.deadline_s)))
        if self.bug:
            found.append(fail(f"{self.check.name}.unfinished", "check.bug", reason=self.bug[:300]))
        return found


def examine(place: Place, checks: Sequence[Check] = CHECKS) -> Iterator[tuple[Check, list[Finding]]]:
    """Each check with its findings, in order, as soon as they are there; a check without any does not apply here."""
    began_s = time.monotonic()
    runs = [_Run(check, place) for check in checks]
    for run in runs:
        run.start()
    for run in runs:
        yield run.check, run.result(began_s)
