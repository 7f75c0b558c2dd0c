"""One visit, whatever the order and grouping in which its acts arrive; and counts that follow it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from hypothesis import given, settings
from hypothesis import strategies as st

from contract.events import Action, Interaction
from hub.visitors.visit import (
    HOUR_MS,
    MOST_LANGUAGES,
    MOST_PAGES,
    UNDETERMINED,
    Counts,
    Place,
    Rating,
    Slot,
    Visit,
    counts_of,
    difference,
    fold,
    merge,
    visit_of,
)

T = 1_772_416_800_000  # a full hour
SESSION = 4711


def act(
    seq: int,
    action: Action,
    at_ms: int,
    *,
    language: str | None = None,
    target: str | None = None,
    duration_ms: int | None = None,
    rating: int | None = None,
) -> Interaction:
    return Interaction(
        seq=seq, time=T + at_ms, session=SESSION, action=action, target=target, language=language,
        duration_ms=duration_ms, rating=rating,
    )  # fmt: skip


WHOLE = [
    act(1, "session_start", 0),
    act(2, "language", 1_000, language="zh"),
    act(3, "page_view", 9_000, language="zh", target="home", duration_ms=9_000),
    act(4, "language", 9_500, language="vi"),
    act(5, "feedback", 12_000, language="vi", rating=2),
    act(6, "media_play", 20_000, language="vi", target="film", duration_ms=7_000),
    act(7, "search_used", 21_000, language="vi"),
    act(8, "qr_shown", 22_000, language="vi", target="map"),
    act(9, "feedback", 23_000, language="vi", rating=5),
    act(10, "page_view", 25_000, language="vi", target="home", duration_ms=16_000),
    act(11, "page_view", 30_000, language="vi", target="fees", duration_ms=5_000),
    act(12, "session_end", 30_000, language="vi", duration_ms=30_000),
]


def folded(acts: Iterable[Interaction]) -> Visit:
    visit = fold(acts)
    assert visit is not None
    return visit


def test_a_whole_visit() -> None:
    visit = folded(WHOLE)
    assert (visit.began_ms, visit.ended_ms, visit.duration_ms, visit.started) == (T, T + 30_000, 30_000, True)
    assert (visit.languages, visit.main_language) == (("zh", "vi"), "vi")
    assert (visit.page_views, visit.page_names) == (3, frozenset({"home", "fees"}))
    assert (visit.media_plays, visit.searches, visit.qr_shown) == (1, 1, 1)
    assert visit.rating == Rating(Place(T + 23_000, 9), 5)
    assert counts_of(visit) == {Slot(T, "vi"): Counts(1, 3, 30_000, 1, 5)}


def test_nothing_is_no_visit() -> None:
    assert fold([]) is None
    assert fold([], visit_of(WHOLE[0])) == visit_of(WHOLE[0])


def test_a_visitor_who_comes_back_to_a_language() -> None:
    acts = [act(at, "language", at, language=language) for at, language in enumerate(["vi", "en", "vi"], 1)]
    visit = folded(acts)
    assert (visit.languages, visit.main_language) == (("vi", "en"), "vi")


def test_within_one_ms_the_number_tells_what_came_last() -> None:
    acts = [act(2, "language", 5, language="en"), act(3, "language", 5, language="vi")]
    assert folded(acts).main_language == "vi"
    ratings = [act(8, "feedback", 5, rating=5), act(9, "feedback", 5, rating=1)]
    assert folded(ratings).rating == Rating(Place(T + 5, 9), 1)


def test_a_language_is_known_without_the_act_that_chose_it() -> None:
    assert folded([one for one in WHOLE if one.action != "language"]).languages == ("zh", "vi")


def test_without_its_start_it_is_not_a_session_but_reaches_back_as_far() -> None:
    visit = folded([one for one in WHOLE if one.action != "session_start"])
    assert (visit.began_ms, visit.duration_ms, visit.started) == (T, 30_000, False)
    assert counts_of(visit) == {Slot(T, "vi"): Counts(0, 3, 30_000, 1, 5)}


def test_without_its_end_it_lasts_from_the_first_to_the_last_that_is_known() -> None:
    assert folded(WHOLE[:-3]).duration_ms == 23_000


def test_its_end_knows_the_duration_better_than_a_clock_that_was_set() -> None:
    assert folded([act(1, "session_start", 0), act(2, "session_end", 3_600_500, duration_ms=500)]).duration_ms == 500


def test_a_visitor_without_a_language() -> None:
    assert counts_of(visit_of(WHOLE[0])) == {Slot(T, UNDETERMINED): Counts(sessions=1)}


def test_an_act_that_counts_nothing_takes_no_slot() -> None:
    assert counts_of(visit_of(act(1, "search_used", 5))) == {}


def test_a_duration_longer_than_time_itself() -> None:
    early = Interaction(seq=1, time=5, session=SESSION, action="page_view", target="home", duration_ms=900)
    assert visit_of(early).began_ms == 0


def test_a_visit_that_began_earlier_moves() -> None:
    before, after = (
        visit_of(act(3, "page_view", 10, target="home")),
        folded([act(3, "page_view", 10, target="home"), act(1, "session_start", -10, language="lo")]),
    )
    assert difference(before, after) == {
        Slot(T - HOUR_MS, "lo"): Counts(sessions=1, page_views=1, duration_ms=20),
        Slot(T, UNDETERMINED): Counts(page_views=-1),
    }


def test_difference_of_nothing() -> None:
    visit = folded(WHOLE)
    assert difference(None, None) == {}
    assert difference(visit, visit) == {}
    assert difference(None, visit) == counts_of(visit)
    assert difference(visit, None) == {slot: Counts().minus(counts) for slot, counts in counts_of(visit).items()}


def test_a_page_that_invents_names_does_not_make_a_fact_grow() -> None:
    acts = [act(at, "page_view", at, target=f"p{at}") for at in range(1, 2 * MOST_PAGES)]
    visit = folded(acts)
    assert (visit.page_views, len(visit.page_names)) == (len(acts), MOST_PAGES)
    tongues = [f"{a}{b}" for a in "abcdefgh" for b in "abcdefgh"]
    assert len(folded([act(1, "language", 1, language=tag) for tag in tongues]).chosen) == MOST_LANGUAGES


ACTS = st.lists(
    st.builds(
        act,
        st.just(0),
        st.sampled_from(Action.__args__),  # type: ignore[attr-defined]
        st.integers(-5, 5) | st.integers(-HOUR_MS, HOUR_MS),
        language=st.sampled_from([None, "vi", "en", "zh"]),
        target=st.sampled_from([None, "home", "fees"]),
        duration_ms=st.none() | st.integers(0, 2 * HOUR_MS),
        rating=st.none() | st.integers(1, 5),
    ),
    min_size=1,
    max_size=10,
).map(lambda acts: [numbered(one, seq) for seq, one in enumerate(acts, 1)])


def numbered(one: Interaction, seq: int) -> Interaction:
    return act(
        seq, one.action, one.time - T, language=one.language, target=one.target, duration_ms=one.duration_ms,
        rating=one.rating,
    )  # fmt: skip


VISITS = ACTS.map(folded)


@st.composite
def grouped(draw: st.DrawFn, acts: list[Interaction]) -> Visit:
    """The same acts in any order, in any grouping."""
    pile = [visit_of(one) for one in draw(st.permutations(acts))]
    while len(pile) > 1:
        at = draw(st.integers(0, len(pile) - 2))
        pile[at : at + 2] = [merge(*pile[at : at + 2])]
    return pile[0]


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_order_and_grouping_tells_the_same(data: st.DataObject) -> None:
    acts = data.draw(ACTS)
    assert data.draw(grouped(acts)) == folded(acts)


@given(VISITS, VISITS, VISITS)
def test_merge_is_commutative_and_associative(a: Visit, b: Visit, c: Visit) -> None:
    assert merge(a, b) == merge(b, a)
    assert merge(merge(a, b), c) == merge(a, merge(b, c))


@given(st.data())
def test_bounds_do_not_make_the_order_matter(data: st.DataObject) -> None:
    names = st.integers(0, 3 * MOST_PAGES).map(lambda number: f"p{number:03}")
    pages = data.draw(st.lists(names, min_size=1, max_size=6, unique=True))
    many = [f"p{number:03}" for number in range(1, 3 * MOST_PAGES, 2)]
    acts = [act(at, "page_view", at, target=name) for at, name in enumerate([*pages, *many], 1)]
    cut = data.draw(st.integers(1, len(acts) - 1))
    assert merge(folded(acts[cut:]), folded(acts[:cut])) == folded(acts)


@given(st.data())
def test_bounded_languages_do_not_make_the_order_matter(data: st.DataObject) -> None:
    tags = [f"{a}{b}" for a in "abcdefgh" for b in "abcdefg"]
    chosen = data.draw(st.lists(st.sampled_from(tags), min_size=2, max_size=200))
    acts = [act(at, "language", at, language=tag) for at, tag in enumerate(chosen, 1)]
    cut = data.draw(st.integers(1, len(acts) - 1))
    shuffled = data.draw(st.permutations(acts))
    assert merge(folded(shuffled[cut:]), folded(shuffled[:cut])) == folded(acts)


@given(ACTS)
def test_the_fact_says_what_the_acts_say(acts: list[Interaction]) -> None:
    visit = folded(acts)
    by_action = Counter(one.action for one in acts)
    ordered = sorted(acts, key=lambda one: (one.time, one.seq))
    assert visit.started == bool(by_action["session_start"])
    assert visit.page_views == by_action["page_view"]
    assert visit.page_names == {one.target for one in acts if one.action == "page_view" and one.target}
    assert (visit.media_plays, visit.searches) == (by_action["media_play"], by_action["search_used"])
    assert visit.qr_shown == by_action["qr_shown"]
    spoken = [one.language for one in ordered if one.language]
    assert visit.languages == tuple(dict.fromkeys(spoken))
    assert visit.main_language == (spoken[-1] if spoken else None)
    ratings = [one.rating for one in ordered if one.action == "feedback" and one.rating]
    assert (visit.rating.rating if visit.rating else None) == (ratings[-1] if ratings else None)
    assert visit.began_ms <= min(one.time for one in acts) <= visit.ended_ms == ordered[-1].time
    assert visit.duration_ms >= 0


def total(tables: Iterable[dict[Slot, Counts]]) -> dict[Slot, Counts]:
    summed: dict[Slot, Counts] = {}
    for table in tables:
        for slot, counts in table.items():
            summed[slot] = summed.get(slot, Counts()).plus(counts)
    return {slot: counts for slot, counts in summed.items() if any(counts)}


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_differences_add_up_to_the_counts_of_what_is_known(data: st.DataObject) -> None:
    """In whatever portions a visit arrives, the hourly counts hold at every step what a rebuild would make of it."""
    acts = data.draw(ACTS.flatmap(st.permutations))
    table: dict[Slot, Counts] = {}
    known: Visit | None = None
    while acts:
        some = data.draw(st.integers(1, len(acts)))
        after = fold(acts[:some], known)
        table = total([table, difference(known, after)])
        acts, known = acts[some:], after
        assert known is not None
        assert table == counts_of(known)
    assert len(table) <= 1


@given(VISITS)
def test_one_slot_and_at_most_one_session(visit: Visit) -> None:
    for slot, counts in counts_of(visit).items():
        assert slot.hour_ms <= visit.began_ms < slot.hour_ms + HOUR_MS
        assert slot.hour_ms % HOUR_MS == 0
        assert counts.sessions == int(visit.started)
        assert (counts.feedbacks == 0) == (counts.feedback_sum == 0)
