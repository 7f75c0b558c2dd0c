"""A kiosk's day on the line: 8,000 events, as they come, over the agent's own outbox and courier.

Twelve hours of it are busy minutes: two clips of 30 s (each told in four slices, at its begin and a second later when
it is seen to render), a report of health, an act of a visitor. In the other twelve only health is reported. Some
minutes of each are lived in real time; a day is 720 times the one and 720 times the other, and connecting once.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from contract.events import UNNUMBERED, AnyEvent, Facts, Health, Interaction, Play
from edge_agent.clock import Clock, boottime_ms
from edge_agent.courier import Courier
from edge_agent.mqtt import Broker
from edge_agent.outbox.outbox import Outbox
from edge_agent.outbox.store import Entry
from hub.pki.folder import PkiFolder
from simulator.ports import HOST
from tests.bench.arena import Arena, hub
from tests.bench.outbox_costs import DEVICE, settled, until
from tests.bench.relay import Relay
from tests.identity_servers import PASSWORD, HubMosquitto, context, hub_settings, identity

HOURS: Final = 12
"""Of each half of the day."""
_HEADER_BYTES: Final = 52
"""Of IPv4 and TCP with its timestamps, a segment."""
_CLIPS: Final = tuple(
    (f"{name}.mp4", hashlib.sha256(name.encode()).hexdigest())
    for name in ("gioi-thieu-cua-khau-ta-lung", "le-hoi-hoa-ban-2026", "thu-tuc-xuat-nhap-canh")
)
_RENDERING: Final = Facts(listed=True, reported=True, rendering=True, panel="on")
_REPORTED: Final = Facts(listed=True, reported=True, panel="on")
_CLIP_MS: Final = 30_000


class Moment(NamedTuple):
    """Events that are seen together, so many seconds into a minute."""

    second: float
    events: Sequence[AnyEvent]


class Half(NamedTuple):
    """What minutes of one half of a day came to."""

    events: int
    bytes: int
    segments: int
    """Of TCP, both ways."""


class Life:
    """What happens on one kiosk, minute by minute."""

    def __init__(self) -> None:
        self._play = 4_000_000_000
        self._at = 0
        self._temperature = 52.3

    def busy(self) -> list[Moment]:
        """A minute in which visitors may come."""
        moments = [moment for half in (0.0, 30.0) for moment in self._next_clip(half)]
        return sorted([*moments, self._health(10.0), self._visitor(20.0)])

    def quiet(self) -> list[Moment]:
        """A minute of the night."""
        return [self._health(10.0)]

    def _next_clip(self, second: float) -> Iterator[Moment]:
        ended = self._slice(2, _CLIP_MS - 1_000, "success", _RENDERING)
        self._play += 1
        yield Moment(second, [ended, self._slice(0, 0, "running", _REPORTED)])
        seen = [self._slice(1, 1_000, "running", _REPORTED), self._slice(2, 0, "running", _RENDERING)]
        yield Moment(second + 1, seen)

    def _slice(self, number: int, duration_ms: int, status: Any, facts: Facts) -> Play:
        ref, sha256 = _CLIPS[self._play % len(_CLIPS)]
        return Play(
            **self._head(), play_id=self._play, slice=number, content_ref=ref, content_sha256=sha256, screen="led",
            player="mpv", duration_ms=duration_ms, status=status, facts=facts,
        )  # fmt: skip

    def _health(self, second: float) -> Moment:
        self._at += 1
        self._temperature += (self._at * 7 % 5 - 2) / 10
        health = Health(
            **self._head(), temperature_c=round(self._temperature, 1), undervoltage=False, storage_errors=0,
            disk_free_bytes=21_474_836_480 - self._at * 40_960, memory_available_bytes=2_147_483_648 + self._at * 4_096,
            uptime_s=86_400 + self._at * 60, queue_events=0, queue_oldest_s=0, rtt_ms=85 + self._at % 40,
            clock_offset_ms=self._at % 7, signal_dbm=-79 - self._at % 6, bytes_sent=150_000 + self._at * 900,
            bytes_received=120_000 + self._at * 700,
        )  # fmt: skip
        return Moment(second, [health])

    def _visitor(self, second: float) -> Moment:
        act = Interaction(
            **self._head(), session=8_000_000 + self._at, action="page_view", target="visa", language="en"
        )
        return Moment(second, [act])

    @staticmethod
    def _head() -> dict[str, Any]:
        return {"seq": UNNUMBERED, "time": int(time.time() * 1000)}


def wire_bytes_per_day(folder: Path, place: Arena, minutes: float) -> dict[str, Any]:
    """Keys of the bench: bytes of TLS a day, the same with headers of TCP and IP, and events a day.

    The broker is a real Mosquitto with the configuration that the hub makes: TLS, and a certificate for the device.
    """
    folder.mkdir()
    settings = hub_settings(folder)
    authority = PkiFolder(settings.pki)
    authority.init(datetime.now(UTC))
    mine = identity(folder, authority.authority(), DEVICE, datetime.now(UTC))
    with (
        HubMosquitto(settings) as broker,
        hub(place, folder, way_in=(broker.own_port, PASSWORD)),
        Relay(broker.port) as relay,
        _kiosk(folder, Broker(HOST, relay.port, DEVICE, "", context(authority, mine))) as outbox,
    ):
        began = settled(relay)
        life = Life()
        halves = [_live(outbox, relay, minute, minutes) for minute in (life.busy, life.quiet)]
    scale = HOURS * 60 / minutes
    total = began + sum(half.bytes for half in halves) * scale
    headers = sum(half.segments for half in halves) * scale * _HEADER_BYTES
    return {
        "events_per_day": round(sum(half.events for half in halves) * scale),
        "wire_bytes_per_day": round(total),
        "wire_bytes_per_day_with_headers": round(total + headers),
    }


@contextmanager
def _kiosk(folder: Path, way: Broker) -> Iterator[Outbox]:
    """An outbox that is brought to the hub."""
    clock = Clock()
    outbox = Outbox(folder, max_bytes=100_000_000)
    courier = Courier(DEVICE, [way], outbox, clock, version="bench")
    outbox.on_commit = courier.wake
    courier.start()
    try:
        until(lambda: courier.online, "the hub does not answer")
        yield outbox
    finally:
        courier.stop()
        courier.join(30)
        outbox.close()


def _live(outbox: Outbox, relay: Relay, minute: Callable[[], list[Moment]], minutes: float) -> Half:
    """So many minutes (a part of one is its beginning) in real time."""
    before, segments, events = relay.bytes, relay.segments(), 0
    began = time.monotonic()
    ends = began + minutes * 60
    for start_s in range(0, int(minutes * 60 + 59), 60):
        for moment in minute():
            due = began + start_s + moment.second
            if due >= ends:
                break
            time.sleep(max(0.0, due - time.monotonic()))
            outbox.append([Entry(event, boottime_ms()) for event in moment.events])
            events += len(moment.events)
    time.sleep(max(0.0, ends - time.monotonic()))
    return Half(events, relay.bytes - before, relay.segments() - segments)
