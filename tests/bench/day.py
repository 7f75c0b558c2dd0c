"""A kiosk's day on the line: 8,000 events, as they come, over the agent's own outbox and courier.

Twelve hours of it are busy minutes: two clips of 30 s (each told in four slices, at its begin and a second later when
it is seen to render), a report of health, an act of a visitor. In the other twelve only health is reported. Some
minutes of each are lived in real time; a day is 720 times the one and 720 times the other, and connecting once.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from contract.events import UNNUMBERED, AnyEvent, Facts, Health, Interaction, Play
from edge_agent.clock import Clock
from edge_agent.outbox.outbox import Outbox
from edge_agent.outbox.store import Entry
from tests.bench.relay import Relay

HOURS: Final = 12
"""Of each half of the day."""
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
    """What one half of a day came to."""

    events: int
    bytes: int
    segments: int
    """Of TCP, both ways: each has 52 bytes of headers of TCP and IP."""


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


def live(outbox: Outbox, clock: Clock, relay: Relay, minute: Callable[[], list[Moment]], minutes: float) -> Half:
    """So many minutes (a part of one is its beginning) in real time; what passed the relay meanwhile."""
    before, segments, events = relay.bytes, relay.segments(), 0
    began = time.monotonic()
    ends = began + minutes * 60
    for start_s in range(0, int(minutes * 60 + 59), 60):
        for moment in minute():
            due = began + start_s + moment.second
            if due >= ends:
                break
            time.sleep(max(0.0, due - time.monotonic()))
            outbox.append([Entry(event, clock.now_ms()) for event in moment.events])
            events += len(moment.events)
    time.sleep(max(0.0, ends - time.monotonic()))
    return Half(events, relay.bytes - before, relay.segments() - segments)
