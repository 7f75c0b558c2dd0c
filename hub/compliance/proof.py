"""Whether a slice of a play proves that its content was shown, disproves it, or leaves it open."""

from __future__ import annotations

from typing import Literal

from msgspec.structs import replace

from contract.events import Facts
from hub.grade import GRADES, Grade, grade

Proof = Literal["shown", "open", "not_shown"]


def proof(facts: Facts, minimum: Grade = "rendering") -> Proof:
    """What `facts` prove where `minimum` is the lowest grade that counts as shown; ValueError for `not_shown`.

    A panel known to be off, a frame known to be another, a picture known to stand still never prove anything. What a
    fact that nobody observed could still have proved is `open`: no data is never reported as not shown.
    """
    if minimum == "not_shown":
        raise ValueError("the lowest grade that counts as shown cannot be not_shown; take scheduled or higher")
    if _reaches(facts, minimum):
        return "shown"
    return "open" if _reaches(_at_best(facts), minimum) else "not_shown"


def _reaches(facts: Facts, minimum: Grade) -> bool:
    reached = grade(facts)
    return reached is not None and GRADES.index(reached) >= GRADES.index(minimum)


def _at_best(facts: Facts) -> Facts:
    """What nobody observed, as well as it can have been."""
    return replace(
        facts,
        listed=facts.listed is not False,
        reported=facts.reported is not False,
        rendering=facts.rendering is not False,
        panel="on" if facts.panel == "unknown" else facts.panel,
        frame="match" if facts.frame == "unknown" else facts.frame,
    )
