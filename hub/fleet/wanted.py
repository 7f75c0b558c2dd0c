"""The configuration that a device is to have: changed key by key, checked as the device will check it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from contract.config import DataBudget, DeviceConfig, Intervals, Limits, OpenSpan, problems
from hub.fleet.errors import BadSetting
from hub.fleet.opening import WEEKDAYS, read_day, week_text

Settings = dict[str, Any]
"""A configuration without its revision, as the database keeps it: absent is left to the device's own file."""
ALIVE_SHARE: Final = 1.5
"""So many signs of life fit at least into the silence after which a device counts as offline."""
_PARTS: Final = {"intervals": Intervals, "limits": Limits, "budget": DataBudget}
_NUMBERS: Final = {f"{part}.{key}" for part, struct in _PARTS.items() for key in struct.__struct_fields__}
_OPENING: Final = {f"opening.{day}": number for number, day in enumerate(WEEKDAYS, start=1)}
KEYS: Final = (*sorted(_NUMBERS), *_OPENING, "opening")


class Expected(NamedTuple):
    """What of the hub's own settings a configuration has to go with."""

    heartbeat_s: int
    alive_timeout_s: float


def changed(settings: Mapping[str, Any], changes: Iterable[str], expected: Expected) -> Settings:
    """The settings with each `key=value` done; `key=` leaves the key to the device. BadSetting."""
    wanted: Settings = msgspec.json.decode(msgspec.json.encode(settings))
    for change in changes:
        key, sign, value = change.partition("=")
        if not sign:
            raise BadSetting(f"{change!r}: expected key=value, or key= to leave it to the device's own file")
        _change(wanted, key.strip(), value.strip())
    check(wanted, expected)
    return wanted


def with_opening(settings: Mapping[str, Any], opening: list[OpenSpan]) -> Settings:
    """The settings with these opening hours."""
    return {**settings, "opening": msgspec.to_builtins(opening)}


def device_config(settings: Mapping[str, Any], revision: int) -> DeviceConfig:
    """As it goes to the device. BadSetting."""
    try:
        return msgspec.convert({**settings, "revision": revision}, DeviceConfig)
    except msgspec.ValidationError as error:
        raise BadSetting(str(error)) from error


def check(settings: Mapping[str, Any], expected: Expected) -> None:
    """BadSetting names everything that the device would refuse, or that the hub could not live with."""
    config = device_config(settings, 1)
    found = problems(config)
    health_s, alive_s = config.intervals.health_s, config.intervals.alive_s
    if health_s is not None and health_s > expected.heartbeat_s:
        found.append(
            f"intervals.health_s is {health_s}: the hub takes more than {expected.heartbeat_s} s without health for "
            "silence (compliance.heartbeat_s), so what was shown would be unknown"
        )
    if alive_s is not None and alive_s * ALIVE_SHARE > expected.alive_timeout_s:
        found.append(
            f"intervals.alive_s is {alive_s}: a device that is silent for {expected.alive_timeout_s:g} s counts as "
            "offline (ingest.alive_timeout_s)"
        )
    if found:
        raise BadSetting("; ".join(found))


def told(settings: Mapping[str, Any]) -> dict[str, str]:
    """Key by key, as `changed` takes them."""
    found = {
        f"{part}.{key}": f"{value:g}" if isinstance(value, float) else str(value)
        for part in _PARTS
        for key, value in settings.get(part, {}).items()
    }
    opening = device_config(settings, 1).opening
    if opening is not None:
        found |= {f"opening.{day}": text for day, text in week_text(opening).items()}
        found |= {} if opening else {"opening": "closed"}
    return found


def _change(wanted: Settings, key: str, value: str) -> None:
    if key == "opening" and not value:
        wanted.pop("opening", None)
    elif key in _OPENING:
        spans = [span for span in wanted.get("opening", []) if span["weekday"] != _OPENING[key]]
        wanted["opening"] = spans + (msgspec.to_builtins(read_day(_OPENING[key], value)) if value else [])
    elif key in _NUMBERS:
        part, _, name = key.partition(".")
        inner = {other: known for other, known in wanted.get(part, {}).items() if other != name}
        wanted[part] = inner | ({name: _number(key, value)} if value else {})
        if not wanted[part]:
            del wanted[part]
    else:
        raise BadSetting(f"there is no setting {key!r}; there are: {', '.join(KEYS)}")


def _number(key: str, text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError as error:
        raise BadSetting(f"{key}: {text!r} is not a number") from error
