"""An event's content as one short digest, the same whether a journal tells of it or a row of the database.

Fields and defaults come from the contract, so a field that is added there and missing in `stored_events.sql` is found.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from contract.events import EVENT_KINDS, Facts, Kind

_encode = msgspec.json.Encoder().encode
_float4 = struct.Struct("f")
FLOATS: Final = frozenset({"temperature_c"})
"""Fields that the database keeps with single precision."""


def _defaults(of: type[msgspec.Struct], prefix: str = "") -> dict[str, object]:
    found: dict[str, object] = {}
    for field in msgspec.structs.fields(of):
        if isinstance(field.default, Facts):
            found |= _defaults(Facts, f"{field.encode_name}.")
        else:
            found[prefix + field.encode_name] = None if field.required else field.default
    return found


FIELDS: Final[Mapping[Kind, Mapping[str, object]]] = {
    event.KIND: {name: default for name, default in _defaults(event).items() if name != "seq"}
    for event in EVENT_KINDS
    if event.KIND != "loss"
}
"""Of each kind of event that journals tell of: its fields (those of `facts` with their path) and their defaults."""


def of_content(content: Mapping[str, Any]) -> bytes:
    """The digest of an event as it travels. KeyError if its kind is none that journals tell of."""
    kind: Kind = content["kind"]
    facts = content.get("facts")
    flat = {**content, **{f"facts.{name}": value for name, value in facts.items()}} if facts else content
    return of_values(kind, [flat.get(name, default) for name, default in FIELDS[kind].items()])


def of_values(kind: Kind, values: Sequence[object]) -> bytes:
    """The digest of an event by the values of its fields, in the order of `FIELDS`."""
    values = _without_provisional_time(kind, values)
    if kind == "health":
        values = [_single(value) if name in FLOATS else value for name, value in zip(FIELDS[kind], values, strict=True)]
    return hashlib.blake2b(_encode((kind, values)), digest_size=16).digest()


def _without_provisional_time(kind: Kind, values: Sequence[object]) -> Sequence[object]:
    """An event that was not born with its final time is told of with another one than it is stored with."""
    named = dict(zip(FIELDS[kind], values, strict=True))
    return values if named["clock"] == "synced" else list((named | {"time": None, "clock": None}).values())


def _single(value: object) -> object:
    """A number as single precision keeps it."""
    return _float4.unpack(_float4.pack(value))[0] if isinstance(value, int | float) else value
