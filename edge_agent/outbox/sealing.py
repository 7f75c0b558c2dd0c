"""When events of earlier boots happened, and the final bytes of events whose time was provisional: pure reckoning.

Within one boot CLOCK_BOOTTIME keeps order and distance, so a boot is dated as a whole: by when it began.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from contract import codec
from contract.errors import ContractError
from contract.ids import ClockState
from contract.limits import MAX_TIME_MS

SEAL_ROWS: Final = 500
"""Rows sealed in one transaction at most: a backlog of months holds neither memory nor the lock for long."""
NEAR_MS: Final = 7 * 3_600_000
"""Within so much of a moment whose time was certain its boot's others are repaired; what is further is estimated."""

Dates = Callable[[int], tuple[int, ClockState]]
"""From a moment of CLOCK_BOOTTIME to Unix ms, and what to call that."""


class _Dated(Struct):
    time: int
    clock: ClockState = "synced"


_dated = msgspec.json.Decoder(_Dated)


class Known(NamedTuple):
    """An event with its final time."""

    at_ms: int
    time_ms: int
    clock: ClockState

    @property
    def began_ms(self) -> int:
        """When its boot began."""
        return self.time_ms - self.at_ms


class Boot(NamedTuple):
    """What an outbox holds of one boot."""

    name: str
    last_at_ms: int
    """The boot lasted until then at least."""
    known: Known | None
    """Its last event with a final time, if there is one."""
    guess_ms: int | None
    """When it began by the provisional times of its last events, none of which is before the floor of its time."""


def began(boots: Sequence[Boot], present_ms: int) -> dict[str, int]:
    """When each of `boots`, the earlier first, began, Unix ms; `present_ms`: when the present one, after them, did.

    Events that are final date their boot for ever. Any other begins when its provisional times say, but not before the
    one before it had its last event; and its own last event is not after the beginning of the one that follows. Where
    these contradict each other the latter counts: it comes from a time that is certain.
    """
    earliest: list[int] = []
    low_ms = 0
    for boot in boots:
        low_ms = boot.known.began_ms if boot.known is not None else max(low_ms, boot.guess_ms or 0)
        earliest.append(low_ms)
        low_ms += boot.last_at_ms
    found: dict[str, int] = {}
    high_ms = present_ms
    for boot, low in zip(reversed(boots), reversed(earliest), strict=True):
        latest_ms = high_ms - boot.last_at_ms
        if boot.known is not None:
            high_ms = boot.known.began_ms
        else:
            high_ms = latest_ms if boot.guess_ms is None else min(low, latest_ms)
        found[boot.name] = high_ms
    return found


def dates_of(boot: Boot, began_ms: int) -> Dates:
    """Dates for events of an earlier boot."""
    known = boot.known

    def date(at_ms: int) -> tuple[int, ClockState]:
        sure = known is not None and known.clock != "estimated" and abs(at_ms - known.at_ms) <= NEAR_MS
        return began_ms + at_ms, "repaired" if sure else "estimated"

    return date


def final(body: bytes, time_ms: int, clock: ClockState) -> bytes:
    """The event's final bytes. Bytes that are no event any more stay what they are: the hub's refusal settles them."""
    try:
        event = codec.decode_event(body)
    except ContractError:
        return body
    return codec.encode_event(replace(event, time=min(max(time_ms, 0), MAX_TIME_MS), clock=clock))


def known_of(at_ms: int, body: bytes) -> Known | None:
    """An event with its time; None if it cannot be read."""
    dated = _read(body)
    return None if dated is None else Known(at_ms, dated.time, dated.clock)


def time_of(body: bytes) -> int | None:
    """The time that an event carries, Unix ms; None if its bytes have rotted."""
    dated = _read(body)
    return None if dated is None else dated.time


def _read(body: bytes) -> _Dated | None:
    try:
        return _dated.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
