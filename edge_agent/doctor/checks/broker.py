"""Each broker of the list, and one real round trip to the hub.

While the agent runs it is the one that is connected, and tells of its last receipt; we only look whether the others
can be reached. When it does not, we go in with its name ourselves.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from contract.limits import MAX_INT32
from contract.status import Queue
from edge_agent.doctor import hub
from edge_agent.doctor.finding import Finding, fail, ok, warn
from edge_agent.doctor.hub import Answered, Server, where
from edge_agent.doctor.place import Place
from edge_agent.errors import AgentError
from edge_agent.mqtt import Broker
from edge_agent.outbox.look import look
from edge_agent.outbox.outbox import FILE_NAME
from edge_agent.status_file import AgentStatus
from edge_agent.uplink import HELLO_INTERVAL_MS
from edge_agent.way import NotEnrolled

SLOW_MS: Final = 5_000
OLD_S: Final = 1.5 * HELLO_INTERVAL_MS / 1000
"""A hub that answers hellos is heard at least every ten minutes."""


def judge_reached(name: str, server: Server) -> Finding:
    """A broker that was only looked at: beside a running agent, or because it was not there."""
    if server.reached:
        return ok(f"broker.{name}", "broker.reached", server=name)
    assert server.trouble is not None  # noqa: S101 - `contact` says why it did not reach it
    return fail(f"broker.{name}", f"broker.{server.trouble.code}", server=name, reason=server.trouble.reason)


def judge_let_in(name: str, answered: Answered) -> Finding:
    """A broker that was gone into."""
    if answered.let_in:
        return ok(f"broker.{name}", "broker.let_in", server=name)
    return fail(f"broker.{name}", "broker.refuses", server=name, reason=answered.why.removeprefix(f"broker {name}: "))


def judge_receipt(status: AgentStatus, now_ms: int) -> Finding:
    """What the running agent says of the hub's answers; one that hangs said it a while ago."""
    if not status.connected and not status.last_error:  # it was started some seconds ago, and nothing is wrong yet
        return warn("receipt", "receipt.begins")
    if not status.connected:
        return fail("receipt", "receipt.offline", reason=status.last_error)
    if status.receipt_ms is None or not status.online:
        seconds = round((now_ms - status.since_ms) / 1000)
        return fail("receipt", "receipt.none", seconds=seconds)
    age_s = (now_ms - status.receipt_ms) / 1000
    if age_s > OLD_S:
        return fail("receipt", "receipt.old", minutes=round(age_s / 60))
    if status.rtt_ms is not None and status.rtt_ms > SLOW_MS:
        return warn("receipt", "receipt.slow", rtt_ms=status.rtt_ms)
    rtt_ms = "-" if status.rtt_ms is None else status.rtt_ms
    return ok("receipt", "receipt.well", seconds=round(age_s), rtt_ms=rtt_ms)


def judge_round_trip(answered: Answered) -> Finding:
    """The answer to our own hello."""
    if answered.rtt_ms is None:
        return fail("receipt", "receipt.no_answer", seconds=round(hub.ANSWER_S), reason=answered.why or "-")
    if answered.rtt_ms > SLOW_MS:
        return warn("receipt", "receipt.slow", rtt_ms=answered.rtt_ms)
    return ok("receipt", "receipt.answered", rtt_ms=answered.rtt_ms)


def check(place: Place) -> Iterator[Finding]:
    """All brokers, one after the other."""
    if place.settings is None:
        return
    try:
        brokers = hub.broker_list(place.settings)
    except NotEnrolled:
        yield fail("broker", "broker.not_enrolled")
    except AgentError as error:
        yield fail("broker", "broker.no_list", reason=str(error))
        return
    if place.status is not None:
        yield judge_receipt(place.status, place.now_ms())
    if place.status is not None or place.status_problem:
        for broker in brokers:
            yield judge_reached(where(broker), _touch(broker))
        return
    yield from _go_in(place, brokers)


def _touch(broker: Broker) -> Server:
    """Whether the port is open; TLS is the business of `tls`."""
    return hub.contact(broker._replace(tls=None))


def _go_in(place: Place, brokers: list[Broker]) -> Iterator[Finding]:
    held = _queue(place)
    best: Answered | None = None
    for broker in brokers:
        server = _touch(broker)
        if not server.reached:
            yield judge_reached(where(broker), server)
            continue
        answered = hub.ask(place.device, broker, held)
        yield judge_let_in(where(broker), answered)
        if answered.let_in and (best is None or best.rtt_ms is None):
            best = answered
    yield judge_round_trip(best) if best is not None else fail("receipt", "receipt.no_broker")


def _queue(place: Place) -> Queue:
    """What waits, so that the hub's staff are not told that nothing does."""
    assert place.settings is not None  # noqa: S101 - `check` has looked
    try:
        held = look(Path(place.settings.state_folder) / FILE_NAME)
    except AgentError:
        return Queue()  # `outbox` says why it cannot be read
    oldest_s = max(0, time.time_ns() // 1_000_000 - held.oldest_ms) // 1000 if held.oldest_ms is not None else 0
    return Queue(events=min(held.waiting, MAX_INT32), oldest_s=min(oldest_s, MAX_INT32))
