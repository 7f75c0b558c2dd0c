"""How much speaks for a play: from facts that may each be unknown to one grade. The hub's judgement, not the kiosk's.

A grade says no more than was observed. A fact known to be false caps the ladder below it: a player that reports playing
while nothing advances is `reported`, and the fact itself says why it is not more.
"""

from __future__ import annotations

from typing import Final, Literal, get_args

from contract.events import Facts, Frame, Panel

Grade = Literal["not_shown", "scheduled", "reported", "rendering", "panel_on", "frame_match"]
GRADES: Final[tuple[Grade, ...]] = get_args(Grade)
"""Rising. `not_shown` is knowledge, too; no grade at all (None) is where nothing is known."""


def grade(facts: Facts) -> Grade | None:
    """The highest step that the facts reach; None if nothing is known of this content.

    Not shown: the panel is known to be off, the frame is known to be another, or everything that is known speaks
    against the play. A panel that is on says something only of a content that is seen to advance.
    """
    if facts == Facts():
        return None
    if facts.panel == "off" or facts.frame == "mismatch":
        return "not_shown"
    if facts.rendering is not False:
        if facts.frame == "match":
            return "frame_match"
        if facts.rendering:
            return "panel_on" if facts.panel == "on" else "rendering"
    return _claimed(facts)


def grade_of(
    *, listed: bool | None, reported: bool | None, rendering: bool | None, panel: Panel, frame: Frame
) -> Grade | None:
    """The same from a row's columns."""
    return grade(Facts(listed=listed, reported=reported, rendering=rendering, panel=panel, frame=frame))


def _claimed(facts: Facts) -> Grade | None:
    """What player and schedule say, where nobody saw it."""
    if facts.reported:
        return "reported"
    if facts.listed:
        return "scheduled"
    against = False in {facts.listed, facts.reported, facts.rendering}
    return "not_shown" if against else None
