"""Batches in every disorder, and messages that are none, by bare MQTT clients; the counts are exact."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg

from contract import codec
from contract.batch import Batch
from contract.events import Fault
from contract.limits import MAX_MESSAGE_BYTES, MAX_SEQ
from contract.ranges import RangeSet
from contract.status import Hello, Pending
from contract.topics import Channel, topic
from tests.chaos.field import stored
from tests.end_to_end.border import DEVICES, Hub
from tests.end_to_end.seen import Seen
from tests.hub.ingest.fake_agent import FakeAgent
from tests.hub.ingest.making import NONCE, batch, now_ms, payload
from tests.mosquitto import Mosquitto
from tests.mqtt_client import Client
from tests.patience import until

A, B = list(DEVICES)[:2]
EVENTS: Final = 600
NOT_AUTHORISED: Final = 135


@contextmanager
def _agent(broker: Mosquitto, device: str = A) -> Iterator[FakeAgent]:
    with FakeAgent(broker.port, device, DEVICES[device]) as opened:
        yield opened


def _stream(rng: random.Random) -> str:
    return f"{rng.getrandbits(128):032x}"


def _written(stream: str, numbers: list[int]) -> Batch:
    """Events of which a number's content is always the same."""
    made = [Fault(seq=seq, time=1_790_000_000_000 + seq, code="test", reason=f"{stream} {seq}") for seq in numbers]
    return batch(made, stream)


def _committed(agent: FakeAgent, stream: str) -> RangeSet:
    receipts = list(agent.receipts)
    spans = [span for r in receipts for covered in r.streams if covered.stream == stream for span in covered.committed]
    return RangeSet(spans)


def _disorder(rng: random.Random, agent: FakeAgent, stream: str) -> None:
    """Every number at least once, in batches with holes that overlap and come again, and rubbish in between."""
    cuts = [sorted(rng.sample(range(1, EVENTS + 1), rng.randint(1, 60))) for _ in range(30)]
    cuts += [list(range(first, first + 50)) for first in range(1, EVENTS + 1, 50)]
    cuts += rng.choices(cuts, k=10)
    rng.shuffle(cuts)
    for numbers in cuts:
        sent = payload(_written(stream, numbers))
        agent.send(*sent)
        if rng.random() < 0.4:
            _rubbish(rng, agent, sent)


def _rubbish(rng: random.Random, agent: FakeAgent, like: codec.Payload) -> None:
    torn = like.data[: rng.randrange(len(like.data))]
    flipped = bytearray(like.data)
    flipped[rng.randrange(len(flipped))] ^= 1 << rng.randrange(8)
    data, content_type = rng.choice(
        (
            (torn, like.content_type),
            (bytes(flipped), codec.PRIMED),  # Its checksum tells.
            (like.data, "text/html"),
            (rng.randbytes(MAX_MESSAGE_BYTES + 1), codec.JSON),
            (b'{"stream":"' + b"0" * 40 + b'","events":[]}', codec.JSON),
            (b"[" * 60_000, codec.JSON),
        )
    )
    channels: list[Channel] = ["events", "events", "status"]
    agent.send(data, content_type, channel=rng.choice(channels))


def test_batches_in_disorder(hub: Hub, broker: Mosquitto, connection: psycopg.Connection, rng: random.Random) -> None:
    """Two devices at once, which use the same stream id: each has its own account."""
    stream = _stream(rng)
    with _agent(broker, A) as a, _agent(broker, B) as b:
        for agent in (a, b):
            _disorder(rng, agent, stream)
        for agent in (a, b):
            until(lambda: _committed(agent, stream).count() == EVENTS, "receipts for all")  # noqa: B023 - called here
    everything = {(stream, seq) for seq in range(1, EVENTS + 1)}
    for device in (A, B):
        assert stored(connection, device) == everything
    query = "SELECT count(*), count(DISTINCT (device, stream, seq)), count(DISTINCT reason) FROM fault"
    assert connection.execute(query).fetchone() == (2 * EVENTS, 2 * EVENTS, EVENTS)
    assert hub.running
    hub.audit()


def test_nobody_speaks_for_another(
    hub: Hub, broker: Mosquitto, connection: psycopg.Connection, rng: random.Random
) -> None:
    stream = _stream(rng)
    foreign = payload(_written(stream, [1, 2])).data
    with Client(broker.port, A, A, DEVICES[A]) as a, _agent(broker, B) as b:
        for channel in ("events", "status", "receipt"):
            assert a.publish(topic(B, channel), foreign) == NOT_AUTHORISED
        assert a.publish(topic(A, "receipt"), foreign) == NOT_AUTHORISED
        for name in ("$share/hub/ttdn/v1/+/events", "ttdn/v1/+/status", topic(B, "receipt"), "#"):
            a.subscribe(name)  # Whatever the broker says to that: nothing comes.
        b.send_batch(_written(stream, [1, 2, 3]))
        until(lambda: _committed(b, stream).count() == 3, "B's receipt")
        assert a.messages == []
    assert stored(connection, A) == set()
    assert len(stored(connection, B)) == 3


def test_receipts_of_a_device_that_sends_many_ragged_streams(
    hub: Hub, broker: Mosquitto, connection: psycopg.Connection, rng: random.Random
) -> None:
    """No device can make the hub say more than fits into a message."""
    streams = [_stream(rng) for _ in range(12)]
    numbers = {stream: sorted(rng.sample(range(1, MAX_SEQ), 1_200)) for stream in streams}
    hub.freeze()
    with _agent(broker) as agent:
        for stream, listed in numbers.items():
            made = [Fault(seq=seq, time=now_ms(), code="test") for seq in listed]
            agent.send_batch(batch(made, stream))
        until(lambda: not agent._client._out_messages, "the broker has them all")
        hub.resume()
        for stream in streams:
            until(lambda: len(_committed(agent, stream)) == 1_200, "receipts for all")  # noqa: B023 - called here
        held = [Pending(stream=stream, low=listed[0], high=listed[-1]) for stream, listed in numbers.items()]
        agent.say(Hello(session="ab" * 8, nonce=NONCE, version="1", streams=held))
        answer = agent.wait_for(lambda receipt: receipt.hello)
        assert [covered.stream for covered in answer.streams] == streams
    assert hub.running
    assert len(stored(connection, A)) == 12 * 1_200
    hub.audit()


def test_a_stream_of_too_many_ranges_is_refused_and_costs_no_other(
    hub: Hub, broker: Mosquitto, connection: psycopg.Connection, rng: random.Random
) -> None:
    good, ragged = _stream(rng), _stream(rng)
    with _agent(broker) as agent:
        for first in range(1, 10_000, 2_000):
            agent.send_batch(batch(list(range(first, first + 2_000, 2)), ragged))
        agent.send_batch(batch([1, 2, 3], good))
        until(lambda: _committed(agent, good).count() == 3, "the good one's receipt")
        until(lambda: any(refusal.reason == "ragged" for r in list(agent.receipts) for refusal in r.refused), "refusal")
    assert [kind for kind, _ in Seen(connection, A).incidents()] == ["stream_too_ragged"]
    hub.audit()
