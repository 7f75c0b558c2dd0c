"""Each rule of the stream protocol as the agent's end plays it, one by one, with a clock of the test's own."""

from __future__ import annotations

import random
from collections.abc import Iterable
from itertools import pairwise

import pytest

from contract import codec
from contract.batch import Batch
from contract.events import Fault
from contract.limits import MAX_HELLO_STREAMS
from contract.ranges import RangeSet
from contract.receipt import TOO_RAGGED, Covered, Receipt, Refusal
from contract.status import Alive, Goodbye, Hello, Pending, Queue
from edge_agent.outbox.store import Stored
from edge_agent.uplink import (
    ALIVE_INTERVAL_MS,
    FIRST_RESEND_MS,
    HELLO_INTERVAL_MS,
    MAX_RESEND_MS,
    WINDOW,
    Send,
    Uplink,
    last_words,
)

LIVE, OLD, OLDER = "a" * 32, "b" * 32, "c" * 32
SESSION, NONCE, OTHER_NONCE = "0" * 16, "1" * 16, "2" * 16


class Held:
    """An outbox without rules of its own: streams of numbers, and what is covered."""

    def __init__(self, **streams: int) -> None:
        self.live_stream = LIVE
        self.held: dict[str, RangeSet] = {}
        self.covered: dict[str, RangeSet] = {}
        self.size = 20
        self.refused: list[tuple[str, int]] = []
        self.keeps_refused = False

    def add(self, stream: str, first: int, last: int) -> None:
        self.held.setdefault(stream, RangeSet()).add(first, last)

    def streams(self) -> list[Pending]:
        found = [(name, numbers.spans()) for name, numbers in self.held.items() if numbers]
        return [Pending(stream=name, low=spans[0][0], high=spans[-1][1]) for name, spans in found]

    def uncovered(self, stream: str) -> RangeSet:
        return self.held.get(stream, RangeSet()).minus(self.covered.get(stream, RangeSet()))

    def read(self, stream: str, spans: Iterable[tuple[int, int]], max_bytes: int, max_events: int) -> list[Stored]:
        numbers = RangeSet(spans).common(self.held.get(stream, RangeSet())).head(min(max_events, self.size))
        return [Stored(seq, _body(seq)) for first, last in numbers for seq in range(first, last + 1)]

    def cover(self, covered: Covered, *, hello: bool, hub_time_ms: int) -> None:
        known = self.covered.setdefault(covered.stream, RangeSet())
        if hello:
            known.remove(covered.low, covered.high)
        known.update(RangeSet([*covered.committed, *covered.lost]))

    def refuse(self, stream: str, seq: int) -> None:
        self.refused.append((stream, seq))
        if not self.keeps_refused:
            self.held[stream].remove(seq, seq)


def _body(seq: int) -> bytes:
    return codec.encode_event(Fault(seq=seq, time=1, code="x"))


class Talk:
    """An uplink, its outbox, and a hub that answers when it is told to."""

    def __init__(self) -> None:
        self.source = Held()
        self.now_ms = 1_000_000
        self.queue = Queue(events=5, full=True, refused=2)
        self.uplink = Uplink(
            self.source,
            session=SESSION,
            version="1.2",
            queue=lambda: self.queue,
            faults=lambda: [f"fault_{at}" for at in range(40)],
            rng=random.Random(7),
        )

    def connect(self, nonce: str = NONCE) -> list[Send]:
        self.uplink.connected(nonce, self.now_ms)
        return self.poll()

    def poll(self, after_ms: int = 0) -> list[Send]:
        self.now_ms += after_ms
        return self.uplink.poll(self.now_ms)

    def until_due(self) -> list[Send]:
        due = self.uplink.next_due_ms()
        assert due is not None
        return self.poll(max(0, due - self.now_ms))

    def receive(self, receipt: Receipt) -> int | None:
        return self.uplink.received(receipt, self.now_ms)

    def commit(self, *sends: Send, nonce: str = NONCE) -> int | None:
        streams = []
        for batch in batches(sends):
            numbers = RangeSet.of(event.seq for event in batch.events)
            low, high = batch.events[0].seq, batch.events[-1].seq
            streams.append(Covered(stream=batch.stream, low=low, high=high, committed=numbers.spans()))
        return self.receive(Receipt(nonce=nonce, hub_time=1, streams=streams))

    def answer_hello(self, *covered: Covered, nonce: str = NONCE) -> None:
        told = {part.stream for part in covered}
        rest = [Covered(stream=p.stream, low=p.low, high=p.high) for p in self.source.streams() if p.stream not in told]
        self.receive(Receipt(nonce=nonce, hub_time=1, hello=True, streams=[*covered, *rest]))

    def refuse(self, send: Send, reason: str = "invalid") -> None:
        self.receive(Receipt(hub_time=1, refused=[Refusal(sha256=send.payload.sha256(), reason=reason)]))


def batches(sends: Iterable[Send]) -> list[Batch]:
    return [codec.decode_batch(*send.payload) for send in sends if send.channel == "events"]


def statuses(sends: Iterable[Send]) -> list[Hello | Alive | Goodbye]:
    return [codec.decode_status(*send.payload) for send in sends if send.channel == "status"]


def sent(sends: Iterable[Send]) -> list[tuple[str, int, int]]:
    return [(batch.stream[0], batch.events[0].seq, batch.events[-1].seq) for batch in batches(sends)]


@pytest.fixture
def talk() -> Talk:
    return Talk()


# -- hello, alive, goodbye ---------------------------------------------------------------------------------------------


def test_nothing_is_said_without_a_connection(talk: Talk) -> None:
    talk.source.add(LIVE, 1, 9)
    assert talk.poll() == []
    assert talk.uplink.next_due_ms() is None
    assert talk.uplink.goodbye("stop") is None
    talk.connect()
    talk.uplink.disconnected()
    assert talk.poll(10**9) == []


def test_hello_comes_first_and_names_what_is_held(talk: Talk) -> None:
    talk.source.add(OLD, 3, 9)
    talk.source.add(LIVE, 1, 5)
    sends = talk.connect()
    assert statuses(sends) == [
        Hello(
            session=SESSION,
            nonce=NONCE,
            version="1.2",
            streams=[Pending(stream=OLD, low=3, high=9), Pending(stream=LIVE, low=1, high=5)],
            queue=talk.queue,
        )
    ]
    assert sends[0].channel == "status"


def test_hello_is_said_every_ten_minutes_and_alive_every_half_minute(talk: Talk) -> None:
    talk.connect()
    said: list[tuple[int, str]] = []
    began = talk.now_ms
    while talk.now_ms < began + 2 * HELLO_INTERVAL_MS:
        said += [(talk.now_ms - began, type(status).__name__) for status in statuses(talk.until_due())]
    assert [at for at, name in said if name == "Hello"] == [HELLO_INTERVAL_MS, 2 * HELLO_INTERVAL_MS]
    times = [0, *(at for at, _ in said)]
    assert {after - before for before, after in pairwise(times)} == {ALIVE_INTERVAL_MS}


def test_alive_tells_of_the_queue_and_of_a_bounded_list_of_faults(talk: Talk) -> None:
    talk.connect()
    alive = statuses(talk.poll(ALIVE_INTERVAL_MS))[0]
    assert isinstance(alive, Alive)
    assert (alive.queue, alive.session, alive.nonce) == (talk.queue, SESSION, NONCE)
    assert alive.faults == [f"fault_{at}" for at in range(32)]


@pytest.mark.parametrize("reason", ["stop", "lost"])
def test_goodbye(talk: Talk, reason: str) -> None:
    talk.connect()
    send = talk.uplink.goodbye(reason)  # type: ignore[arg-type]
    assert send is not None
    assert statuses([send]) == [last_words(SESSION, NONCE, reason)]  # type: ignore[arg-type]


def test_more_streams_than_a_page_holds_take_several(talk: Talk) -> None:
    names = [f"{at:032x}" for at in range(2 * MAX_HELLO_STREAMS + 1)]
    for name in names:
        talk.source.add(name, 1, 1)
    pages = [status for status in statuses(talk.connect()) if isinstance(status, Hello)]
    assert [len(page.streams) for page in pages] == [MAX_HELLO_STREAMS, MAX_HELLO_STREAMS, 1]
    assert [held.stream for page in pages for held in page.streams] == names
    page = [Covered(stream=name, low=1, high=1, committed=[(1, 1)]) for name in names[:MAX_HELLO_STREAMS]]
    talk.receive(Receipt(nonce=NONCE, hub_time=1, hello=True, streams=page))
    again = talk.until_due()
    assert len(statuses(again)) == 3, "a page whose answer is missing is asked again"
    talk.answer_hello(*page)
    assert [batch for batch in sent(talk.poll()) if batch[0] == "0"], "and what was answered is sent"


# -- window and order --------------------------------------------------------------------------------------------------


def test_a_few_batches_are_in_flight_and_no_more(talk: Talk) -> None:
    talk.source.add(LIVE, 1, 1_000)
    first = talk.connect()
    assert sent(first) == [("a", 1, 20), ("a", 21, 40), ("a", 41, 60), ("a", 61, 80)]
    assert len(sent(first)) == WINDOW
    assert talk.poll() == []
    talk.commit(first[2])
    assert sent(talk.poll()) == [("a", 81, 100)]


def test_everything_is_sent_once_and_then_there_is_peace(talk: Talk) -> None:
    talk.source.add(LIVE, 1, 150)
    sends = talk.connect()
    seen: list[tuple[str, int, int]] = []
    while sent(sends):
        seen += sent(sends)
        talk.commit(*sends)
        sends = talk.poll()
    assert [span[1] for span in seen] == list(range(1, 150, 20))
    assert talk.uplink.idle()
    assert talk.poll(ALIVE_INTERVAL_MS - 1) == []


def test_only_the_stream_that_is_appended_to_is_live(talk: Talk) -> None:
    talk.source.add(LIVE, 1, 1)
    talk.source.add(OLD, 1, 1)
    sends = talk.connect()
    talk.answer_hello()
    sends += talk.poll()
    assert {batch.stream: (batch.live, batch.nonce) for batch in batches(sends)} == {
        LIVE: (True, NONCE),
        OLD: (False, NONCE),
    }


def test_an_old_stream_waits_for_the_hellos_answer_and_the_live_one_does_not(talk: Talk) -> None:
    talk.source.add(OLD, 1, 50)
    talk.source.add(LIVE, 1, 1)
    assert sent(talk.connect()) == [("a", 1, 1)]
    assert sent(talk.poll(1_000)) == []
    talk.answer_hello(Covered(stream=OLD, low=1, high=50, committed=[(1, 45)]))
    assert sent(talk.poll()) == [("b", 46, 50)]


def test_a_stream_that_was_live_in_this_run_needs_no_answer(talk: Talk) -> None:
    talk.source.add(LIVE, 1, 2)
    talk.commit(*talk.connect())
    talk.source.add(LIVE, 3, 4)
    talk.source.live_stream = OLD  # a write failed: the outbox began another stream
    talk.source.add(OLD, 1, 1)
    assert sent(talk.poll()) == [("b", 1, 1), ("a", 3, 4)]


def test_a_large_backlog_never_keeps_the_present_waiting(talk: Talk) -> None:
    talk.source.add(OLD, 1, 100_000)
    talk.connect()
    talk.answer_hello()
    backlog = talk.poll()
    assert len(sent(backlog)) == WINDOW - 1, "one place is kept free"
    talk.source.add(LIVE, 1, 1)
    assert sent(talk.poll()) == [("a", 1, 1)]
    talk.commit(backlog[0])
    talk.source.add(LIVE, 2, 2)
    assert sent(talk.poll()) == [("a", 2, 2)]


def test_a_busy_present_does_not_starve_the_backlog(talk: Talk) -> None:
    talk.source.add(OLD, 1, 200)
    sends = talk.connect()
    talk.answer_hello()
    for seq in range(1, 40):
        talk.source.add(LIVE, seq, seq)
        sends = [*sends, *talk.poll(100)]
        talk.commit(*sends)
        sends = []
    assert not talk.source.uncovered(OLD)
    assert not talk.source.uncovered(LIVE)


# -- silence -----------------------------------------------------------------------------------------------------------


def test_what_is_not_answered_is_sent_again_after_2_to_5_s(talk: Talk) -> None:
    talk.source.add(LIVE, 1, 5)
    first = talk.connect()
    assert sent(talk.poll(FIRST_RESEND_MS[0] - 1)) == []
    again = talk.poll(FIRST_RESEND_MS[1] - FIRST_RESEND_MS[0] + 1)
    assert sent(again) == sent(first)


def test_after_two_silences_a_hello_asks_and_nothing_else_is_sent(talk: Talk) -> None:
    talk.source.add(LIVE, 1, 500)
    talk.connect()
    assert len(sent(talk.poll(5_001))) == WINDOW // 2, "a smaller window after a silence"
    asking = talk.poll(10_001)
    assert sent(asking) == []
    assert isinstance(statuses(asking)[0], Hello)
    for _ in range(20):
        assert sent(talk.until_due()) == []
    talk.answer_hello()
    assert len(sent(talk.poll())) == 1


def test_asking_becomes_more_and_more_patient(talk: Talk) -> None:
    talk.source.add(LIVE, 1, 500)
    talk.connect()
    talk.poll(5_001)
    talk.poll(10_001)
    asked: list[int] = [talk.now_ms]
    while len(asked) < 12:
        asked += [talk.now_ms for status in statuses(talk.until_due()) if isinstance(status, Hello)]
    pauses = [after - before for before, after in pairwise(asked)]
    assert FIRST_RESEND_MS[0] <= pauses[0] <= FIRST_RESEND_MS[1]
    assert all(8 * FIRST_RESEND_MS[0] <= pause <= 8 * FIRST_RESEND_MS[1] for pause in pauses[3:])
    assert len(set(pauses[3:])) > 1, "without jitter all kiosks would ask at once"


def test_a_hub_that_answers_hellos_and_commits_nothing_is_not_stormed(talk: Talk) -> None:
    """A full queue, or a database that is away: the hellos' answers must not begin the hurry anew."""
    talk.source.add(LIVE, 1, 100_000)
    began = talk.now_ms
    count = len(sent(talk.connect()))
    while talk.now_ms < began + 3_600_000:
        sends = talk.until_due()
        count += len(sent(sends))
        if any(isinstance(status, Hello) for status in statuses(sends)):
            talk.answer_hello()
            count += len(sent(talk.poll()))
    assert count < 130, f"{count} batches in an hour"
    sends = talk.poll(MAX_RESEND_MS)
    talk.answer_hello()
    talk.commit(*[*sends, *talk.poll()])
    assert len(sent(talk.poll())) == WINDOW, "one that lands opens the window again"


def test_patience_is_bounded_and_differs_between_kiosks(talk: Talk) -> None:
    waits = set()
    for _ in range(3):
        talk.uplink._silences = 30
        waits |= {talk.uplink._patience_ms() for _ in range(20)}
    assert all(MAX_RESEND_MS * 3 // 4 <= wait <= MAX_RESEND_MS for wait in waits)
    assert len(waits) > 10


def test_a_slow_way_is_given_more_time(talk: Talk) -> None:
    for seq in range(1, 30):
        talk.source.add(LIVE, seq, seq)
        sends = talk.connect() if seq == 1 else talk.poll()
        talk.now_ms += 1_900
        talk.commit(*sends)
    assert talk.uplink._patience_ms() >= 4 * 1_500


# -- receipts ----------------------------------------------------------------------------------------------------------


def test_answers_to_another_connection_are_ignored(talk: Talk) -> None:
    talk.source.add(LIVE, 1, 5)
    sends = talk.connect()
    assert talk.commit(*sends, nonce=OTHER_NONCE) is None
    assert talk.uplink.ignored_receipts == 1
    assert talk.source.uncovered(LIVE)
    talk.connect(OTHER_NONCE)
    talk.answer_hello(nonce=NONCE)
    assert talk.uplink.ignored_receipts == 2


def test_holes_in_a_receipt_are_sent_again_and_nothing_else(talk: Talk) -> None:
    talk.source.add(LIVE, 1, 20)
    talk.connect()
    talk.receive(
        Receipt(nonce=NONCE, hub_time=1, streams=[Covered(stream=LIVE, low=1, high=20, committed=[(1, 4), (9, 20)])])
    )
    assert sent(talk.poll(5_001)) == [("a", 5, 8)]


def test_what_the_hub_knows_to_be_lost_needs_not_be_sent(talk: Talk) -> None:
    talk.source.add(LIVE, 1, 2)
    talk.connect()
    talk.receive(Receipt(nonce=NONCE, hub_time=1, streams=[Covered(stream=LIVE, low=1, high=2, lost=[(1, 2)])]))
    assert talk.uplink.idle()


def test_a_hub_that_went_back_gets_it_again(talk: Talk) -> None:
    talk.source.add(LIVE, 1, 60)
    talk.commit(*talk.connect())
    assert talk.uplink.idle()
    assert sent(talk.poll(HELLO_INTERVAL_MS)) == []
    talk.answer_hello(Covered(stream=LIVE, low=1, high=60, committed=[(1, 10)]))
    assert sent(talk.poll()) == [("a", 11, 30), ("a", 31, 50), ("a", 51, 60)]


def test_a_receipt_tells_the_time_of_its_batch_but_not_of_one_that_was_sent_twice(talk: Talk) -> None:
    talk.source.add(LIVE, 1, 1)
    first, began = talk.connect(), talk.now_ms
    talk.now_ms += 300
    assert talk.commit(*first) == began
    talk.source.add(LIVE, 2, 2)
    talk.poll()
    again = talk.poll(5_001)
    assert sent(again) == [("a", 2, 2)]
    assert talk.commit(*again) is None, "nobody knows which of the two it answers"
    talk.source.add(LIVE, 3, 3)
    talk.poll()
    talk.answer_hello(Covered(stream=LIVE, low=1, high=3, committed=[(1, 3)]))
    assert talk.uplink.idle(), "a hello's answer covers as well, and is no measure of time"


def test_a_lost_connection_takes_along_what_was_on_its_way(talk: Talk) -> None:
    talk.source.add(LIVE, 1, 5)
    first = talk.connect()
    talk.uplink.disconnected()
    assert sent(talk.connect(OTHER_NONCE)) == sent(first)


# -- refusals ----------------------------------------------------------------------------------------------------------


def test_a_refused_batch_is_cut_down_to_the_one_event(talk: Talk) -> None:
    talk.source.add(LIVE, 1, 20)
    bad, rounds = 13, 0
    sends = talk.connect()
    talk.answer_hello()
    while sent(sends):
        rounds += 1
        for send in [send for send in sends if send.channel == "events"]:
            (batch,) = batches([send])
            if any(event.seq == bad for event in batch.events):
                talk.refuse(send)
            else:
                talk.commit(send)
        sends = talk.poll()
    assert talk.source.refused == [(LIVE, bad)]
    assert talk.uplink.idle()
    assert rounds <= 8


def test_a_single_event_is_given_up_at_the_second_refusal(talk: Talk) -> None:
    talk.source.add(LIVE, 1, 1)
    sends = talk.connect()
    talk.answer_hello()
    talk.refuse(sends[-1])
    assert talk.source.refused == []
    again = talk.poll()
    assert sent(again) == [("a", 1, 1)]
    talk.refuse(again[-1])
    assert talk.source.refused == [(LIVE, 1)]
    talk.refuse(again[-1])
    assert talk.source.refused == [(LIVE, 1)]


def test_nobody_gives_anything_up_for_a_hub_that_has_never_understood_a_word(talk: Talk) -> None:
    """Such as behind a broker that drops content types: all would be refused, and the whole outbox declared lost."""
    talk.source.add(LIVE, 1, 8)
    sends = talk.connect()
    for _ in range(100):
        for send in sends:
            if send.channel == "events":
                talk.refuse(send, "content_type")
        sends = talk.poll()
    assert talk.source.refused == []
    assert sent(sends) == [], "and it is not tried without end"
    assert talk.source.uncovered(LIVE).count() == 8
    sends = talk.poll(HELLO_INTERVAL_MS)
    assert sent(sends), "but again with the next hello"
    talk.commit(*sends)


def test_what_cannot_be_given_up_is_put_aside_until_the_next_hello(talk: Talk) -> None:
    talk.source.keeps_refused = True
    talk.source.add(LIVE, 1, 1)
    sends = talk.connect()
    talk.answer_hello()
    talk.refuse(sends[-1])
    talk.refuse(talk.poll()[-1])
    assert talk.source.refused == [(LIVE, 1)]
    talk.source.add(LIVE, 2, 2)
    assert sent(talk.poll()) == [("a", 2, 2)]
    assert sent(talk.poll(1_000)) == []


def test_a_stream_that_is_too_ragged_is_neither_cut_nor_given_up(talk: Talk) -> None:
    talk.source.add(LIVE, 1, 20)
    sends = talk.connect()
    talk.answer_hello()
    talk.refuse(sends[-1], TOO_RAGGED)
    assert talk.poll() == []
    assert talk.source.refused == []
    assert sent(talk.poll(HELLO_INTERVAL_MS)) == [("a", 1, 20)]


def test_a_refusal_of_bytes_that_are_not_on_their_way_says_nothing(talk: Talk) -> None:
    talk.source.add(LIVE, 1, 2)
    talk.connect()
    talk.receive(Receipt(hub_time=1, refused=[Refusal(sha256="f" * 64, reason="invalid")]))
    assert talk.poll() == []


def test_cuts_survive_silence_and_a_new_connection(talk: Talk) -> None:
    talk.source.add(LIVE, 1, 4)
    talk.refuse(talk.connect()[-1])
    halves = talk.poll()
    assert sent(halves) == [("a", 1, 2), ("a", 3, 4)]
    assert sorted(sent(talk.poll(5_001))) == sent(halves)
    talk.uplink.disconnected()
    assert sorted(sent(talk.connect(OTHER_NONCE))) == sent(halves)


def test_what_was_evicted_meanwhile_is_not_waited_for(talk: Talk) -> None:
    talk.source.add(LIVE, 1, 4)
    talk.refuse(talk.connect()[-1])
    talk.source.held[LIVE].remove(1, 4)
    assert talk.poll() == []
    assert talk.uplink.idle()


def test_memory_is_bounded_by_what_is_held(talk: Talk) -> None:
    for at in range(300):
        name = f"{at:032x}"
        talk.source.add(name, 1, 3)
        talk.connect(f"{at:016x}")
        talk.receive(
            Receipt(
                nonce=f"{at:016x}",
                hub_time=1,
                hello=True,
                streams=[Covered(stream=name, low=1, high=3, committed=[(1, 3)])],
            )
        )
        del talk.source.held[name]
    uplink = talk.uplink
    assert max(map(len, (uplink._answered, uplink._flights, uplink._cuts, uplink._aside, uplink._late))) <= 2
