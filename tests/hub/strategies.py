"""Events as hypothesis strategies, derived from the structs of the contract: what the wire allows is what is tried."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from hypothesis import strategies as st
from msgspec import inspect as shape

from contract.events import EVENT_KINDS, AnyEvent, Kind

TEXT = st.characters(exclude_categories=["Cs"], exclude_characters="\0")


@cache
def events_of(kind: Kind) -> st.SearchStrategy[AnyEvent]:
    """Every event of one kind; spans of a loss are in order, as an outbox writes them."""
    struct = next(event for event in EVENT_KINDS if kind == event.KIND)
    found: st.SearchStrategy[AnyEvent] = _of(shape.type_info(struct))
    return found


def any_event() -> st.SearchStrategy[AnyEvent]:
    """Events of every kind."""
    return st.one_of(*(events_of(event.KIND) for event in EVENT_KINDS))


def extremes(struct: type[Any], *, highest: bool) -> AnyEvent:
    """One event with every number at its bound, every text at its longest (or shortest), nothing absent (or all)."""
    info = shape.type_info(struct)
    assert isinstance(info, shape.StructType)
    values = {field.name: _bound(field.type, highest=highest) for field in info.fields}
    event: AnyEvent = struct(**values)
    return event


def _of(info: shape.Type) -> st.SearchStrategy[Any]:
    match info:
        case shape.Metadata():
            return _of(info.type)
        case shape.StructType():
            return st.builds(info.cls, **{field.name: _of(field.type) for field in info.fields})
        case shape.UnionType():
            return st.one_of(*(_of(part) for part in info.types))
        case shape.TupleType():
            return st.tuples(*(_of(part) for part in info.item_types)).map(lambda pair: tuple(sorted(pair)))
        case shape.ListType():
            return st.lists(_of(info.item_type), min_size=info.min_length or 0, max_size=8)
    return _plain(info)


def _plain(info: shape.Type) -> st.SearchStrategy[Any]:
    match info:
        case shape.LiteralType():
            return st.sampled_from(info.values)
        case shape.StrType(pattern=str() as pattern):
            return st.from_regex(pattern, fullmatch=True)
        case shape.StrType():
            return st.text(TEXT, min_size=info.min_length or 0, max_size=info.max_length)
        case shape.IntType():
            return st.integers(info.ge, info.le)
        case shape.FloatType():
            return st.floats(info.ge, info.le, width=32)
        case shape.BoolType():
            return st.booleans()
        case shape.NoneType():
            return st.none()
    raise AssertionError(f"the contract has a type of field that no strategy is known for: {info}")


def _bound(info: shape.Type, *, highest: bool) -> Any:
    match info:
        case shape.Metadata():
            return _bound(info.type, highest=highest)
        case shape.StructType():
            return info.cls(**{field.name: _bound(field.type, highest=highest) for field in info.fields})
        case shape.UnionType():
            something = [part for part in info.types if not isinstance(part, shape.NoneType)]
            return _bound(something[-1], highest=True) if highest or len(something) == len(info.types) else None
        case shape.TupleType():
            return tuple(_bound(part, highest=highest) for part in info.item_types)
        case shape.ListType():
            return [_bound(info.item_type, highest=highest)]
    return _plain_bound(info, highest=highest)


def _plain_bound(info: shape.Type, *, highest: bool) -> Any:
    match info:
        case shape.LiteralType():
            return info.values[-1 if highest else 0]
        case shape.StrType(pattern=str() as pattern):
            return _text_of(pattern, highest=highest)
        case shape.StrType():
            return "Ệ" * (info.max_length or 0) if highest else "x" * (info.min_length or 0)
        case shape.IntType() | shape.FloatType():
            return info.le if highest else info.ge
        case shape.BoolType():
            return highest
    raise AssertionError(f"the contract has a type of field that no bound is known for: {info}")


def _text_of(pattern: str, *, highest: bool) -> str:
    """The longest or shortest of a few texts that keep `pattern`."""
    tries = ["f" * size for size in (1, 2, 3, 16, 31, 32, 33, 47, 48, 49, 63, 64, 65)] + ["zh-Hant"]
    kept = [text for text in tries if re.search(pattern, text)]
    return max(kept, key=len) if highest else min(kept, key=len)
