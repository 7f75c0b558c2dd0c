"""Where two timelines differ."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from hub.catalogue.changes import Change, changes
from hub.compliance.verdict import Finding, Stretch

UNKNOWN, APPROVED, EXPIRED = Finding("unknown"), Finding("approved", "ND-1", 1), Finding("expired", "ND-1", 1)
DAYS = [date(2026, 6, 1) + timedelta(days=more) for more in range(6)]


@st.composite
def timelines(draw: st.DrawFn) -> tuple[Stretch, ...]:
    """Whole, as few stretches as can be."""
    found: list[Stretch] = []
    for day in [date.min, *sorted(draw(st.sets(st.sampled_from(DAYS))))]:
        finding = draw(st.sampled_from((UNKNOWN, APPROVED, EXPIRED)))
        if found and found[-1].finding == finding:
            continue
        if found:
            found[-1] = found[-1]._replace(last=day - timedelta(days=1))
        found.append(Stretch(day, date.max, finding))
    return tuple(found)


def at(timeline: tuple[Stretch, ...], day: date) -> Finding:
    (found,) = [one.finding for one in timeline if one.first <= day <= one.last]
    return found


@given(timelines(), timelines())
def test_changes_are_where_they_differ(before: tuple[Stretch, ...], after: tuple[Stretch, ...]) -> None:
    found = changes(before, after)
    for day in [date.min, *DAYS, date.max]:
        told = [(one.before, one.after) for one in found if one.first <= day <= one.last]
        expected = (at(before, day), at(after, day))
        assert told == ([] if expected[0] == expected[1] else [expected])
    for one, following in pairwise(found):
        assert one.last < following.first
        touches = one.last + timedelta(days=1) == following.first
        assert not (touches and one[2:] == following[2:]), "two where one would do"


def test_a_late_approval() -> None:
    before = (Stretch(date.min, date.max, UNKNOWN),)
    after = (Stretch(date.min, DAYS[0] - timedelta(days=1), UNKNOWN), Stretch(DAYS[0], date.max, APPROVED))
    assert changes(before, after) == (Change(DAYS[0], date.max, UNKNOWN, APPROVED),)
    assert changes(before, before) == ()
    assert changes((), after) == ()
