"""Messages of the contract as hypothesis strategies, made from the structs: what the wire allows is what is tried."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from msgspec import inspect as shape
from msgspec.structs import replace

from contract import codec
from contract.batch import Batch
from contract.command import Args, Command, CommandId, CommandName, Picture, Reply
from contract.config import DeviceConfig, Revision
from contract.events import EVENT_KINDS, AnyEvent
from contract.ids import Nonce, StreamId, UnixMs
from contract.receipt import Receipt
from contract.status import Alive, AnyStatus, Goodbye, Hello

TEXT = st.characters(exclude_categories=["Cs"], exclude_characters="\0")


def of(kind: Any, most: int = 4) -> st.SearchStrategy[Any]:
    """Every value of a type of the contract; lists hold up to `most`, spans are in order."""
    return _of(shape.type_info(kind), most)


def events() -> st.SearchStrategy[AnyEvent]:
    """Events of every kind."""
    return st.one_of(*(of(kind) for kind in EVENT_KINDS))


def batches(most: int = 6) -> st.SearchStrategy[Batch]:
    """Batches whose numbers rise, with holes."""
    numbered = st.lists(st.tuples(st.integers(1, 1_000), events()), min_size=1, max_size=most).map(_numbered)
    nonces = of(Nonce) | st.just("")
    return st.builds(Batch, stream=of(StreamId), nonce=nonces, live=st.booleans(), events=numbered)


def receipts() -> st.SearchStrategy[Receipt]:
    """Receipts, answers to a hello and others."""
    return of(Receipt)


def statuses() -> st.SearchStrategy[AnyStatus]:
    """Hello, alive and goodbye."""
    return st.one_of(of(Hello), of(Alive), of(Goodbye))


def configs() -> st.SearchStrategy[DeviceConfig]:
    """Configurations; what their values say together need not make sense."""
    return of(DeviceConfig)


def commands() -> st.SearchStrategy[Command]:
    """Commands that expire after they were given."""
    times = st.lists(of(UnixMs), min_size=2, max_size=2, unique=True).map(sorted)
    return st.builds(
        lambda number, name, ends, args: Command(
            id=number, name=name, issued_ms=ends[0], expires_ms=ends[1], args=args
        ),
        of(CommandId),
        of(CommandName),
        times,
        of(Args),
    )


def replies() -> st.SearchStrategy[Reply]:
    """Replies to commands and to configurations."""
    rest = {"detail": st.text(TEXT, max_size=40), "picture": st.none() | of(Picture)}
    done = st.sampled_from(["done", "refused", "failed", "expired"])
    applied = st.sampled_from(["applied", "refused"])
    return st.builds(Reply, command=of(CommandId), outcome=done, **rest) | st.builds(
        Reply, config=of(Revision), outcome=applied, **rest
    )


def payload_of(batch: Batch) -> codec.Payload:
    """A batch as an agent sends it."""
    bodies = [codec.encode_event(event) for event in batch.events]
    return codec.encode_batch(batch.stream, bodies, nonce=batch.nonce, live=batch.live)


def _numbered(parts: list[tuple[int, AnyEvent]]) -> list[AnyEvent]:
    found, seq = [], 0
    for step, event in parts:
        seq += step
        found.append(replace(event, seq=seq))
    return found


def _of(info: shape.Type, most: int) -> st.SearchStrategy[Any]:
    match info:
        case shape.Metadata():
            return _of(info.type, most)
        case shape.StructType():
            return _struct(info, most)
        case shape.UnionType():
            return st.one_of(*(_of(part, most) for part in info.types))
        case shape.TupleType():
            return st.tuples(*(_of(part, most) for part in info.item_types)).map(lambda pair: tuple(sorted(pair)))
        case shape.ListType():
            return st.lists(_of(info.item_type, most), min_size=info.min_length or 0, max_size=most)
        case shape.VarTupleType():
            parts = st.lists(
                _of(info.item_type, most), min_size=info.min_length or 0, max_size=min(most, info.max_length or most)
            )
            return parts.map(tuple)
    return _plain(info)


def _struct(info: shape.StructType, most: int) -> st.SearchStrategy[Any]:
    fields = {field.name: _of(field.type, most) for field in info.fields}
    if "low" not in fields:
        return st.builds(info.cls, **fields)
    span = st.tuples(fields.pop("low"), fields.pop("high")).map(sorted)
    return st.builds(lambda ends, **rest: info.cls(low=ends[0], high=ends[1], **rest), span, **fields)


def _plain(info: shape.Type) -> st.SearchStrategy[Any]:
    match info:
        case shape.LiteralType():
            return st.sampled_from(info.values)
        case shape.StrType(pattern=str() as pattern):
            return st.from_regex(pattern, fullmatch=True)
        case shape.StrType():
            return st.text(TEXT, min_size=info.min_length or 0, max_size=min(info.max_length or 40, 40))
        case shape.IntType():
            return st.integers(info.ge, info.le)
        case shape.FloatType():
            return st.floats(info.ge, info.le)
        case shape.BoolType():
            return st.booleans()
        case shape.BytesType():
            return st.binary(min_size=info.min_length or 0, max_size=40)
        case shape.NoneType():
            return st.none()
    raise AssertionError(f"the contract has a type of field that no strategy is known for: {info}")
