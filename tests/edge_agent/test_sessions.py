from __future__ import annotations

from collections import Counter
from itertools import count
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.events import UNNUMBERED, Action, AnyEvent, Interaction
from edge_agent.draft import UNSTAMPED, Draft
from edge_agent.page_messages import (
    End,
    Feedback,
    LanguageChosen,
    MediaPlay,
    MediaStop,
    PageLeave,
    PageView,
    QrShown,
    SearchUsed,
    Touch,
    VisitorMessage,
)
from edge_agent.sessions import (
    MAX_OPEN_MEDIA,
    Session,
    SessionRules,
    after_message,
    after_silence,
    after_stop,
    random_session_id,
)

RULES = SessionRules(idle_ms=60_000, media_idle_ms=900_000, follow_ms=10_000)
S = 1000


class Kiosk:
    """Drives the state machine; `at` is in seconds."""

    def __init__(self) -> None:
        self.session: Session | None = None
        self.drafts: list[Draft] = []
        self._ids = count(1)

    def says(self, at: float, *messages: VisitorMessage) -> None:
        for message in messages:
            step = after_message(self.session, message, int(at * S), RULES, lambda: next(self._ids))
            self._took(step.session, step.drafts)

    def silent(self, at: float) -> None:
        self._took(*after_silence(self.session, int(at * S), RULES))

    def stops(self, at: float) -> None:
        self._took(*after_stop(self.session, int(at * S)))

    def _took(self, session: Session | None, drafts: list[Draft]) -> None:
        self.session = session
        self.drafts += drafts

    @property
    def acts(self) -> list[tuple[str, str | None, float | None]]:
        """(action, target, duration in s)"""
        return [
            (e.action, e.target, None if e.duration_ms is None else e.duration_ms / S) for e in map(_event, self.drafts)
        ]


def _event(draft: Draft) -> Interaction:
    assert isinstance(draft.event, Interaction)
    return draft.event


@pytest.fixture
def kiosk() -> Kiosk:
    return Kiosk()


def test_a_visit_from_its_first_touch_to_its_end(kiosk: Kiosk) -> None:
    kiosk.says(0, Touch(touched=True), LanguageChosen(language="zh", touched=True))
    kiosk.says(1, PageView(target="thu-tuc", touched=True))
    kiosk.says(21, SearchUsed(touched=True), QrShown(target="cong-vietnam", touched=True))
    kiosk.says(31, PageView(target="gop-y", touched=True))
    kiosk.says(35, Feedback(rating=5, touched=True))
    kiosk.says(36, End(touched=True))
    assert kiosk.acts == [
        ("session_start", None, None),
        ("language", None, None),
        ("search_used", None, None),
        ("qr_shown", "cong-vietnam", None),
        ("page_view", "thu-tuc", 30),
        ("feedback", None, None),
        ("page_view", "gop-y", 5),
        ("session_end", None, 36),
    ]
    events = [_event(draft) for draft in kiosk.drafts]
    assert [e.language for e in events] == [None] + ["zh"] * 7
    assert {e.session for e in events} == {1}
    assert [d.at_ms for d in kiosk.drafts] == [0, 0, 21000, 21000, 31000, 35000, 36000, 36000]
    assert kiosk.session is None


def test_idle_time_counts_for_nothing(kiosk: Kiosk) -> None:
    kiosk.says(0, PageView(target="a", touched=True))
    kiosk.says(30, Touch(touched=True))
    kiosk.silent(89.9)
    assert kiosk.session is not None
    kiosk.silent(90)
    assert kiosk.acts[1:] == [("page_view", "a", 30), ("session_end", None, 30)]
    assert kiosk.drafts[-1].at_ms == 30 * S
    kiosk.silent(1000)
    assert len(kiosk.drafts) == 3


def test_the_next_visitor_after_idle_time_gets_a_new_session_without_a_tick(kiosk: Kiosk) -> None:
    kiosk.says(0, LanguageChosen(language="lo", touched=True))
    kiosk.says(61, Feedback(rating=1, touched=True))
    assert [(e.action, e.session, e.language) for e in map(_event, kiosk.drafts)] == [
        ("session_start", 1, None),
        ("language", 1, "lo"),
        ("session_end", 1, "lo"),
        ("session_start", 2, None),
        ("feedback", 2, None),
    ]


@pytest.mark.parametrize(
    "message",
    [
        Touch(),
        PageView(target="a"),
        LanguageChosen(language="en"),
        MediaPlay(target="a"),
        Feedback(rating=3),
        End(touched=True),
        PageLeave(touched=True),
        MediaStop(target="a", watched_ms=5, touched=True),
    ],
)
def test_nobody_touching_makes_no_session(kiosk: Kiosk, message: VisitorMessage) -> None:
    kiosk.says(0, message)
    assert kiosk.session is None
    assert kiosk.drafts == []


def test_an_attract_loop_does_not_keep_a_session_alive(kiosk: Kiosk) -> None:
    kiosk.says(0, PageView(target="a", touched=True))
    for at in range(15, 100, 15):
        kiosk.says(at, PageView(target=f"slide-{at}"), LanguageChosen(language="en"), Feedback(rating=5))
    assert kiosk.acts == [("session_start", None, None), ("page_view", "a", 0), ("session_end", None, 0)]


def test_a_page_loaded_by_a_touch_is_viewed_though_it_saw_no_touch(kiosk: Kiosk) -> None:
    kiosk.says(0, PageView(target="a", touched=True))
    kiosk.says(5, PageLeave(touched=True))
    kiosk.says(7, PageView(target="b"))
    kiosk.says(20, End())
    assert kiosk.acts[1:] == [("page_view", "a", 5), ("page_view", "b", 0), ("session_end", None, 7)]


def test_a_page_that_waited_for_somebody_is_viewed_from_the_touch_on(kiosk: Kiosk) -> None:
    kiosk.says(0, PageView(target="a"))
    kiosk.says(50, Touch(target="a", touched=True))
    kiosk.says(58, Touch(target="b", touched=True))
    kiosk.says(60, End(touched=True))
    assert kiosk.acts == [("session_start", None, None), ("page_view", "a", 10), ("session_end", None, 10)]


def test_the_same_page_or_language_again_is_no_new_one(kiosk: Kiosk) -> None:
    kiosk.says(0, PageView(target="a", touched=True), LanguageChosen(language="km", touched=True))
    kiosk.says(5, PageView(target="a", touched=True), LanguageChosen(language="km", touched=True))
    kiosk.says(9, End(touched=True))
    assert Counter(act[0] for act in kiosk.acts) == Counter(session_start=1, language=1, page_view=1, session_end=1)
    assert ("page_view", "a", 9) in kiosk.acts


def test_a_film_watched_to_its_end_is_use(kiosk: Kiosk) -> None:
    kiosk.says(0, MediaPlay(target="film", touched=True))
    kiosk.silent(300)
    kiosk.says(300, MediaStop(target="film", watched_ms=299_000, ended=True))
    kiosk.silent(361)
    assert kiosk.acts[1:] == [("media_play", "film", 299), ("session_end", None, 300)]


def test_a_pause_does_not_make_two_plays(kiosk: Kiosk) -> None:
    kiosk.says(0, MediaPlay(target="film", touched=True))
    kiosk.says(10, MediaStop(target="film", watched_ms=10_000))
    kiosk.says(30, MediaPlay(target="film", touched=True))
    kiosk.says(50, PageView(target="home", touched=True))
    assert kiosk.acts[1:] == [("media_play", "film", 30)]


def test_a_medium_cannot_have_played_longer_than_since_it_began(kiosk: Kiosk) -> None:
    kiosk.says(0, MediaPlay(target="film", touched=True))
    kiosk.says(10, MediaStop(target="film", watched_ms=2**31 - 1, ended=True))
    assert kiosk.acts[-1] == ("media_play", "film", 10)


def test_a_film_that_never_stops_has_an_unknown_duration(kiosk: Kiosk) -> None:
    kiosk.says(0, MediaPlay(target="film", touched=True))
    kiosk.silent(900)
    assert kiosk.acts[1:] == [("media_play", "film", None), ("session_end", None, 0)]


def test_media_are_bounded(kiosk: Kiosk) -> None:
    kiosk.says(0, *(MediaPlay(target=f"m{n}", touched=True) for n in range(50)))
    assert kiosk.session is not None
    assert len(kiosk.session.media) == MAX_OPEN_MEDIA
    kiosk.says(1, End(touched=True))
    assert sum(act[0] == "media_play" for act in kiosk.acts) == 50


def test_the_end_of_the_agent_ends_the_session(kiosk: Kiosk) -> None:
    kiosk.stops(0)
    kiosk.says(1, PageView(target="a", touched=True))
    kiosk.stops(50)
    assert kiosk.acts == [("session_start", None, None), ("page_view", "a", 0), ("session_end", None, 0)]


def test_session_ids_are_random_and_in_bounds() -> None:
    ids = [random_session_id() for _ in range(100)]
    assert len(set(ids)) == 100
    assert all(1 <= number < 2**53 for number in ids)


_names = st.sampled_from(["home", "thu-tuc", "clip-1", "gop-y"])
_touched = st.booleans()
_messages: st.SearchStrategy[VisitorMessage] = st.one_of(
    st.builds(Touch, target=st.none() | _names, touched=_touched),
    st.builds(LanguageChosen, language=st.sampled_from(["vi", "zh"]), touched=_touched),
    st.builds(PageView, target=_names, touched=_touched),
    st.builds(PageLeave, touched=_touched),
    st.builds(MediaPlay, target=_names, touched=_touched),
    st.builds(MediaStop, target=_names, watched_ms=st.integers(0, 10**6), ended=st.booleans()),
    st.builds(SearchUsed, touched=_touched),
    st.builds(QrShown, target=_names, touched=_touched),
    st.builds(Feedback, rating=st.integers(1, 5), touched=_touched),
    st.builds(End, touched=_touched),
)
_walks = st.lists(st.tuples(st.integers(-2_000, 80_000), st.none() | _messages), max_size=60)
_decoder: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)


@given(_walks)
def test_whatever_is_said_only_whole_sessions_of_enumerated_acts_come_out(
    walk: list[tuple[int, VisitorMessage | None]],
) -> None:
    kiosk, now_ms = Kiosk(), 10_000
    for passed_ms, message in walk:  # a message may also be older than the one before
        now_ms = max(0, now_ms + passed_ms)
        if message is None:
            kiosk.silent(now_ms / S)
        else:
            kiosk.says(now_ms / S, message)
    kiosk.stops(now_ms / S)
    sessions: dict[int, list[Draft]] = {}
    for draft in kiosk.drafts:
        sessions.setdefault(_event(draft).session, []).append(draft)
    for drafts in sessions.values():
        _check_session(drafts)


def _check_session(drafts: list[Draft]) -> None:
    events = [_event(draft) for draft in drafts]
    actions = [event.action for event in events]
    assert actions[0] == "session_start"
    assert actions[-1] == "session_end"
    assert actions.count("session_start") == actions.count("session_end") == 1
    assert [draft.at_ms for draft in drafts] == sorted(draft.at_ms for draft in drafts)
    whole_ms = drafts[-1].at_ms - drafts[0].at_ms
    assert events[-1].duration_ms == whole_ms
    assert sum(e.duration_ms or 0 for e in events if e.action == "page_view") <= whole_ms
    for event in events:
        assert event.action in get_args(Action)
        assert (event.seq, event.time) == (UNNUMBERED, UNSTAMPED)
        numbered = msgspec.structs.replace(event, seq=1)
        assert _decoder.decode(msgspec.json.encode(numbered)) == numbered
        assert 0 <= (event.duration_ms or 0) <= whole_ms
