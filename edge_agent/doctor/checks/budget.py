"""How much of the month's mobile data is used, by the running agent's count; nothing is said without an agent."""

from __future__ import annotations

from collections.abc import Iterator

from edge_agent.doctor.finding import Fact, Finding, ok, warn
from edge_agent.doctor.place import Place
from edge_agent.status_file import AgentStatus


def judge(status: AgentStatus) -> Finding:
    """What is used goes on counting without a budget, too."""
    facts: dict[str, Fact] = {"used": round(status.month_bytes / 1e6, 1)}
    if status.budget_bytes is None:
        return ok("budget", "budget.none", **facts)
    facts["budget"] = round(status.budget_bytes / 1e6, 1)
    if status.data == "spent":
        return warn("budget", "budget.spent", **facts)
    return warn("budget", "budget.saving", **facts) if status.data == "saving" else ok("budget", "budget.well", **facts)


def check(place: Place) -> Iterator[Finding]:
    """The status file."""
    if place.status is not None:
        yield judge(place.status)
