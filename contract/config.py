"""What the hub sets of a device, on `config`. What it leaves out stays as the device's own file has it.

Not retained by any broker: the hub sends it when the device's hello tells another revision than the one it is to have.
Nothing here can cut a device off from the hub: brokers, identity, folders and probes belong to the device's own file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Annotated, Final

from msgspec import Meta, Struct

from contract.limits import MAX_INT32, MAX_SEQ

MAX_SPANS: Final = 56
DAY_MIN: Final = 24 * 60
WEEK_MIN: Final = 7 * DAY_MIN

Revision = Annotated[int, Meta(ge=1, le=MAX_INT32, description="Rises with every change; of one device.")]
Applied = Annotated[int, Meta(ge=0, le=MAX_INT32, description="Revision of the configuration in force; 0: none.")]


class Intervals(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How often the device looks and speaks; seconds."""

    alive_s: Annotated[int, Meta(ge=15, le=60, description="Between two signs of life.")] | None = None
    hello_s: Annotated[int, Meta(ge=60, le=3_600, description="Between two hellos.")] | None = None
    health_s: Annotated[int, Meta(ge=10, le=3_600, description="Between two looks at the machine.")] | None = None
    look_s: Annotated[float, Meta(ge=0.2, le=60, description="Longest between two looks at a player.")] | None = None
    screen_s: Annotated[float, Meta(ge=0.5, le=60, description="Between two looks at the outputs.")] | None = None
    slice_s: (
        Annotated[int, Meta(ge=10, le=300, description="Between two slices of a play; from the agent's next start.")]
        | None
    ) = None


class OpenSpan(Struct, frozen=True):
    """An opening, in local time (Asia/Ho_Chi_Minh). It may go on past midnight, and past the end of the week."""

    weekday: Annotated[int, Meta(ge=1, le=7, description="1 is Monday.")]
    from_min: Annotated[int, Meta(ge=0, le=DAY_MIN - 1, description="Minute of the day.")]
    minutes: Annotated[int, Meta(ge=1, le=DAY_MIN, description="How long.")]


class Limits(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How much the device may keep."""

    outbox_max_bytes: (
        Annotated[int, Meta(ge=1_000_000, le=MAX_SEQ, description="Largest size of the outbox, bytes.")] | None
    ) = None


class DataBudget(Struct, frozen=True, kw_only=True):
    """What the mobile link may cost."""

    month_bytes: Annotated[
        int, Meta(ge=1_000_000, le=MAX_SEQ, description="Bytes of a local month, both ways, on the line.")
    ]


class DeviceConfig(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Payload of `config`: the whole of what the hub sets, not a change to it."""

    revision: Revision
    intervals: Intervals = Intervals()
    limits: Limits = Limits()
    opening: (
        Annotated[list[OpenSpan], Meta(max_length=MAX_SPANS, description="Empty: never open. Absent: not said.")] | None
    ) = None
    budget: DataBudget | None = None


_PARTS: Final[Mapping[str, type[Struct]]] = {"intervals": Intervals, "limits": Limits, "budget": DataBudget}


def problems(config: DeviceConfig) -> list[str]:
    """What does not fit together, though each value is allowed by itself; the same words on both sides."""
    return [
        f"opening: weekday {late.weekday} {clock(late.from_min)} begins before what opened on weekday "
        f"{early.weekday} at {clock(early.from_min)} has closed"
        for early, late in _overlaps(config.opening or [])
    ]


def is_open(opening: Iterable[OpenSpan], weekday: int, minute: int) -> bool:
    """Whether a minute of a local weekday (1 is Monday) lies within an opening."""
    at = (weekday - 1) * DAY_MIN + minute
    return any((at - _begin(span)) % WEEK_MIN < span.minutes for span in opening)


def unknown_keys(raw: object) -> list[str]:
    """Keys of a configuration as it came that this version knows nothing of."""
    if not isinstance(raw, dict):
        return []
    found = [str(key) for key in raw if key not in DeviceConfig.__struct_fields__]
    for name, part in _PARTS.items():
        inner = raw.get(name)
        if isinstance(inner, dict):
            found += [f"{name}.{key}" for key in inner if key not in part.__struct_fields__]
    return found


def clock(minute: int) -> str:
    """A minute of the day as people write it."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _begin(span: OpenSpan) -> int:
    return (span.weekday - 1) * DAY_MIN + span.from_min


def _overlaps(spans: Iterable[OpenSpan]) -> list[tuple[OpenSpan, OpenSpan]]:
    ordered = sorted(spans, key=_begin)
    found = [(early, late) for early, late in pairwise(ordered) if _begin(early) + early.minutes > _begin(late)]
    if len(ordered) > 1 and _begin(ordered[-1]) + ordered[-1].minutes > WEEK_MIN + _begin(ordered[0]):
        found.append((ordered[-1], ordered[0]))
    return found
