"""What a border's devices say, made once before any clock runs: events, batches as agents send them, rows.

The same events in the same order are given to every contender. A device appends to one stream; its events are about
half plays, the rest interactions, health and a few others, with the fields that a Raspberry Pi's agent fills in;
numbers behave as on a real device: plays count up, contents have their lengths, temperature and memory wander.
"""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, Final, NamedTuple

import msgspec

from contract import codec
from contract.codec import Payload
from contract.events import AnyEvent, Facts, Fault, Health, Interaction, Kind, Lifecycle, Play, Screen
from hub.store.tables import TABLE

GAP_MS: Final = 150
"""Between two events of a device."""
Row = tuple[Any, ...]
_FACTS: Final = ("listed", "reported", "rendering", "panel", "frame")
_REFS: Final = tuple(f"noi-dung-{number:02d}.mp4" for number in range(40))
SLICE_MS: Final = 300_000
_LENGTH_MS: Final = {ref: 15_000 + 37_123 * number % 700_000 for number, ref in enumerate(_REFS)}
"""How long a content lasts: a quarter of a minute to some ten."""
_SHA256: Final = {ref: hashlib.sha256(ref.encode()).hexdigest() for ref in _REFS}
_PAGES: Final = ("home", "map", "visa", "customs", "culture/food", "culture/festivals", "transport", "hotline")
_ACTIONS: Final = (*["page_view"] * 3, "media_play", "language", "search_used", "qr_shown", "feedback")


class Batch(NamedTuple):
    """One message: who sends it, its first number, its events, and the payload an agent would send."""

    device: int
    """Index of the device, from 0."""
    first: int
    events: list[AnyEvent]
    payload: Payload


class Ids(NamedTuple):
    """What the database calls the devices of a workload, by index, and its contents."""

    devices: list[int]
    streams: list[int]
    placements: list[int]
    contents: dict[tuple[str, str | None], int]


CONTENTS: Final = tuple((ref, _SHA256[ref]) for ref in _REFS)
"""Every content that is shown: reference and SHA-256."""


class Workload(NamedTuple):
    """Batches in the order in which they are published: the first of every device, then the second, ..."""

    devices: list[str]
    streams: list[str]
    batches: list[Batch]

    def events(self) -> int:
        """How many events there are in all."""
        return sum(len(batch.events) for batch in self.batches)


class Source:
    """Devices that go on and on: each part of the workload follows the one before."""

    def __init__(
        self, devices: int, size: int, *, seed: int = 20, gap_ms: int = GAP_MS, begins_ms: int | None = None
    ) -> None:
        """Batches of `size` events, `gap_ms` between two events of a device, from `begins_ms` on (now if left out)."""
        chance = random.Random(seed)
        self._size = size
        self._names = [f"bench-{number:05d}" for number in range(devices)]
        self._streams = [f"{chance.getrandbits(128):032x}" for _ in self._names]
        began_ms = int(time.time() * 1000) if begins_ms is None else begins_ms
        self._devices = [_Device(chance, began_ms, gap_ms) for _ in self._names]

    def next(self, batches: int, size: int | None = None) -> Workload:
        """So many batches a device."""
        return self.workload(
            [self._batch(device, size) for _ in range(batches) for device in range(len(self._devices))]
        )

    def workload(self, batches: list[Batch]) -> Workload:
        """These batches of these devices."""
        return Workload(self._names, self._streams, batches)

    def _batch(self, device: int, size: int | None) -> Batch:
        source = self._devices[device]
        events = [source.next() for _ in range(size or self._size)]
        bodies = map(msgspec.json.encode, events)
        payload = codec.encode_batch(self._streams[device], bodies, nonce=f"{device:016x}", live=True)
        return Batch(device, events[0].seq, events, payload)


def make_workload(
    devices: int, batches: int, size: int, *, seed: int = 20, gap_ms: int = GAP_MS, heard_before: bool = False
) -> Workload:
    """`batches` of `size` events from each of so many devices, `gap_ms` between two events of a device; ends now.

    `heard_before`: a batch of one event from each comes first.
    """
    begins_ms = int(time.time() * 1000) - batches * size * gap_ms
    source = Source(devices, size, seed=seed, gap_ms=gap_ms, begins_ms=begins_ms)
    first = source.next(1, size=1).batches if heard_before else []
    return source.workload([*first, *source.next(batches).batches])


def row_of(event: AnyEvent, ids: Ids, device: int, stored_at: datetime) -> Row:
    """The event as a row of its kind's table, in the order of `ROW_COLUMNS`: what a careful program would write."""
    values: Row = _VALUES[event.KIND](event)
    if type(event) is Play:
        values = (ids.contents[event.content_ref, event.content_sha256], *values)
    same = (ids.devices[device], ids.streams[device], ids.placements[device])
    return (*same, stored_at, datetime.fromtimestamp(event.time / 1000, UTC), *values)


_HEAD: Final = ("device", "stream", "placement", "stored_at", "time")
ROW_COLUMNS: Final[dict[Kind, tuple[str, ...]]] = {
    kind: (*_HEAD, *sorted(set(table.columns) - set(_HEAD), key=lambda column: (column != "content", column)))
    for kind, table in TABLE.items()
}
_VALUES: Final[dict[Kind, Callable[[AnyEvent], Row]]] = {
    kind: attrgetter(
        *(f"facts.{column}" if column in _FACTS else column for column in columns[len(_HEAD) :] if column != "content")
    )
    for kind, columns in ROW_COLUMNS.items()
}


class _Device:
    """Where one device's events come from."""

    def __init__(self, chance: random.Random, begins_ms: int, gap_ms: int) -> None:
        self._chance, self._gap_ms = chance, gap_ms
        self._seq, self._time = 0, begins_ms
        self._play_id = chance.getrandbits(32)
        self._session = chance.getrandbits(50) + 1
        self._slice = 0
        self._ref = chance.choice(_REFS)
        self._temperature, self._disk, self._memory = (
            chance.randint(450, 650),
            chance.randint(2 << 30, 20 << 30),
            400 << 20,
        )
        kinds: dict[Callable[[], AnyEvent], int] = {self._play: 50, self._interaction: 25, self._health: 15}
        kinds |= {self._screen: 6, self._fault: 3, self._lifecycle: 1}
        self._kinds, self._weights = list(kinds), list(kinds.values())

    def next(self) -> AnyEvent:
        """The event that follows."""
        self._seq += 1
        self._time += self._gap_ms + self._chance.randint(-self._gap_ms // 10, self._gap_ms // 10)
        (make,) = self._chance.choices(self._kinds, self._weights)
        return make()

    def _play(self) -> AnyEvent:
        length_ms = _LENGTH_MS[self._ref]
        ends = self._slice > 0 and self._slice * SLICE_MS >= length_ms
        lasted_ms = min(SLICE_MS, length_ms - (self._slice - 1) * SLICE_MS) + self._chance.randint(0, 40)
        event = Play(
            seq=self._seq,
            time=self._time,
            play_id=self._play_id,
            slice=self._slice,
            content_ref=self._ref,
            content_sha256=_SHA256[self._ref],
            screen="main",
            player="mpv",
            duration_ms=lasted_ms if self._slice else 0,
            status="success" if ends else "running",
            facts=Facts(listed=True, reported=True, rendering=True, panel="on"),
        )
        self._slice += 1
        if ends:
            self._play_id, self._slice, self._ref = self._play_id + 1, 0, self._chance.choice(_REFS)
        return event

    def _interaction(self) -> AnyEvent:
        if self._chance.random() < 0.1:
            self._session = self._chance.getrandbits(50) + 1
        action: Any = self._chance.choice(_ACTIONS)
        dwell = action in ("page_view", "media_play")
        return Interaction(
            seq=self._seq,
            time=self._time,
            session=self._session,
            action=action,
            target=self._chance.choice(_PAGES) if dwell or action == "qr_shown" else None,
            language=self._chance.choice(("vi", "en", "zh", "lo", "km")),
            duration_ms=self._chance.randint(500, 90_000) if dwell else None,
            rating=self._chance.randint(1, 5) if action == "feedback" else None,
        )

    def _health(self) -> AnyEvent:
        self._temperature += self._chance.randint(-4, 4)
        self._disk -= self._chance.randint(0, 16) * 4096
        self._memory += self._chance.randint(-128, 128) * 4096
        return Health(
            seq=self._seq,
            time=self._time,
            temperature_c=self._temperature / 10,
            undervoltage=False,
            storage_errors=0,
            disk_free_bytes=self._disk,
            memory_available_bytes=self._memory,
            uptime_s=self._seq * 60,
            queue_events=self._chance.randint(0, 5),
            queue_oldest_s=self._chance.randint(0, 3),
            rtt_ms=self._chance.randint(40, 120),
            clock_offset_ms=self._chance.randint(-5, 5),
            bytes_sent=self._seq * 60,
            bytes_received=self._seq * 20,
        )

    def _screen(self) -> AnyEvent:
        state: Any = self._chance.choice(("active", "active", "asleep"))
        return Screen(seq=self._seq, time=self._time, screen="main", state=state, brightness=80, volume=30)

    def _fault(self) -> AnyEvent:
        reason = f"visa.html has not moved for 5 s at {self._chance.randint(1, 300)}.0 s"
        return Fault(seq=self._seq, time=self._time, code="player_stuck", reason=reason, component="mpv")

    def _lifecycle(self) -> AnyEvent:
        return Lifecycle(seq=self._seq, time=self._time, action="start", detail="0.1.0")


def kinds_of(workload: Workload) -> dict[Kind, int]:
    """How many events there are of each kind."""
    counts: dict[Kind, int] = {}
    for batch in workload.batches:
        for event in batch.events:
            counts[event.KIND] = counts.get(event.KIND, 0) + 1
    return counts
