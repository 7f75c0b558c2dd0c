"""The sample configuration, written from the model itself: every key, its default, and what it means."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_type_hints

import msgspec
from msgspec import Meta, Struct, inspect

from edge_agent.bridge_rules import BridgeSettings
from edge_agent.config import AgentSettings, BrokerSettings, MqttSettings, OutboxSettings
from edge_agent.playlog import PlaylogSettings
from edge_agent.probes.registry import PROBES
from edge_agent.remote.settings import RemoteSettings

_HEAD = """# Configuration of ttdn-agent. A line that begins with '#' and a key shows its default.
# Environment variables win: TTDN_AGENT_DEVICE, TTDN_AGENT_OUTBOX__MAX_BYTES, ...
# Who this device is and where its brokers are, `ttdn-agent enrol URL CODE` brings; what is set here wins over that.
"""


def sample_toml() -> str:
    """A file that `load` takes as it stands."""
    parts = [_HEAD, *_section("", AgentSettings), *_section("mqtt", MqttSettings)]
    parts += _off(_section("mqtt.brokers", BrokerSettings, given={"host": "hub.example.vn"}, array=True))
    parts += _section("outbox", OutboxSettings)
    parts += _section("playlog", PlaylogSettings)
    parts += _section("bridge", BridgeSettings)
    parts += _section("remote", RemoteSettings)
    for registered in PROBES:
        on = registered.name == "system"
        lines = _section(f"probes.{registered.name}", registered.settings)
        parts += ["", f"# -- probe {registered.name}: on if its table is there", *(lines if on else _off(lines))]
    return "\n".join(parts) + "\n"


def _off(lines: list[str]) -> list[str]:
    return [line if line.startswith("#") or not line else f"# {line}" for line in lines]


def _section(name: str, model: type[Struct], *, given: dict[str, Any] | None = None, array: bool = False) -> list[str]:
    lines = [""]
    if name:
        lines.append(f"[[{name}]]" if array else f"[{name}]")
    given = given or {}
    information = inspect.type_info(model)
    assert isinstance(information, inspect.StructType)  # noqa: S101 - every model is a Struct
    for field in information.fields:
        lines += _field(field, model, given)
    return lines


def _field(field: inspect.Field, model: type[Struct], given: dict[str, Any]) -> Iterator[str]:
    if isinstance(_bare(field.type), inspect.StructType) or (not given.get(field.name) and _is_table(field)):
        return
    yield f"# {_description(model, field.name)}"
    if field.name in given:
        yield f"{field.name} = {_toml(given[field.name])}"
        return
    default = field.default if field.default is not msgspec.NODEFAULT else None
    if default is None and field.default_factory is not msgspec.NODEFAULT:
        default = field.default_factory()
    yield f"# {field.name} = {_toml(default)}"


def _is_table(field: inspect.Field) -> bool:
    bare = _bare(field.type)
    if isinstance(bare, inspect.DictType):
        return isinstance(_bare(bare.value_type), inspect.DictType)
    return isinstance(bare, inspect.VarTupleType) and isinstance(_bare(bare.item_type), inspect.StructType)


def _bare(kind: inspect.Type) -> inspect.Type:
    return kind.type if isinstance(kind, inspect.Metadata) else kind


def _description(model: type[Struct], name: str) -> str:
    hint = get_type_hints(model, include_extras=True)[name]
    metas = [part for part in getattr(hint, "__metadata__", ()) if isinstance(part, Meta)]
    return next((meta.description for meta in reversed(metas) if meta.description), name)


def _toml(value: Any) -> str:
    if value is None:
        return '""'
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(part) for part in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(part)}" for key, part in value.items()) + "}"
    return msgspec.json.encode(value).decode()
