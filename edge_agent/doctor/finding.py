"""What a check has found, without a word of any language."""

from __future__ import annotations

from typing import Final, Literal

from msgspec import Struct

Outcome = Literal["ok", "warn", "fail"]
Fact = str | int | float
OUTCOMES: Final[tuple[Outcome, ...]] = ("ok", "warn", "fail")


class Finding(Struct, frozen=True):
    """One line of the doctor's report.

    `id` is stable from run to run and version to version: whoever compares two runs compares by it. `said` is a key of
    `words.FOUND`, whose texts are filled in with `facts`; nothing in these is personal.
    """

    id: str
    outcome: Outcome
    said: str
    facts: dict[str, Fact] = {}

    @property
    def kind(self) -> str:
        """What it is about: `tls` of `tls.hub.example.vn:8883`."""
        return self.id.partition(".")[0]

    @property
    def part(self) -> str:
        """Which one of several; empty where there is one."""
        return self.id.partition(".")[2]


def ok(id_: str, said: str, **facts: Fact) -> Finding:
    """As it should be."""
    return Finding(id_, "ok", said, facts)


def warn(id_: str, said: str, **facts: Fact) -> Finding:
    """It works, and will not for ever."""
    return Finding(id_, "warn", said, facts)


def fail(id_: str, said: str, **facts: Fact) -> Finding:
    """It does not work."""
    return Finding(id_, "fail", said, facts)
