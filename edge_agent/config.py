"""What can be set of an agent: a TOML file, and environment variables that win over it.

`TTDN_AGENT_<SECTION>__<KEY>` sets one key (`TTDN_AGENT_DEVICE`, `TTDN_AGENT_MQTT__PASSWORD_FILE`); a value that begins
with '[' or '{' is TOML (`TTDN_AGENT_MQTT__BROKERS='[{host = "hub.example.vn"}]'`, `TTDN_AGENT_PROBES__MPV='{}'`).
A probe is on if its table `[probes.NAME]` is there, even an empty one.
"""

from __future__ import annotations

import math
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

from contract.ids import DEVICE_PATTERN
from edge_agent.bridge_rules import BridgeSettings
from edge_agent.errors import ConfigError
from edge_agent.playlog import PlaylogSettings
from edge_agent.probes.registry import PROBES
from edge_agent.remote.settings import RemoteSettings

DEFAULT_FILE: Final = Path("/etc/ttdn-agent/agent.toml")
FILE_VARIABLE: Final = "TTDN_AGENT_CONFIG"
_PREFIX: Final = "TTDN_AGENT_"
_TOP: Final = "the top level"
_NOT_TOML: Final = (ValueError, RecursionError)
"""What tomllib raises: its own error, not UTF-8, an integer of thousands of digits; nested too deeply."""
_UNKNOWN: Final = re.compile(r"unknown field `(?P<key>.*)`")
_PLACE: Final = re.compile(r"(?P<what>.*) - at `\$?\.?(?P<key>.*)`\Z", re.DOTALL)


class BrokerSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """One broker; several are tried in turn."""

    host: Annotated[str, Meta(min_length=1, description="Name or address of the broker.")]
    port: Annotated[int, Meta(ge=1, le=65535, description="TCP port; 8883 is usual with TLS, 1883 without.")] = 8883
    tls: Annotated[bool, Meta(description="Encrypt, and check the broker's certificate.")] = True
    ca_file: Annotated[
        str, Meta(description="PEM file of the authority that signed it; empty: the enrolment's, else the system's.")
    ] = ""
    transport: Annotated[
        Literal["tcp", "websockets"], Meta(description="websockets where a network lets nothing but HTTPS pass.")
    ] = "tcp"
    path: Annotated[str, Meta(max_length=256, description="Of the WebSocket.")] = "/mqtt"


class MqttSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The way to the hub, for a device that was not enrolled, or that is to go elsewhere."""

    password_file: Annotated[
        str,
        Meta(description="File with this device's password, readable by the agent alone; empty: by its certificate."),
    ] = ""
    brokers: Annotated[
        tuple[BrokerSettings, ...], Meta(max_length=8, description="Tried in turn; none: those of the enrolment.")
    ] = ()


class OutboxSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Events that the hub does not have yet, and those it has had for less than a week."""

    max_bytes: Annotated[int, Meta(ge=1_000_000, description="Largest size of the outbox, bytes.")] = 500_000_000
    commit_interval_s: Annotated[
        float, Meta(ge=0, le=1, description="Least time between two commits, s: longer spares the SD card.")
    ] = 1.0


class AgentSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that can be set."""

    device: Annotated[
        str,
        Meta(
            pattern=rf"\A\Z|{DEVICE_PATTERN}",
            description="This device's name at the hub; empty: the one it was enrolled with.",
        ),
    ] = ""
    mqtt: MqttSettings = MqttSettings()
    state_folder: Annotated[str, Meta(min_length=1, description="The outbox lives here; keep it on a disk.")] = (
        "/var/lib/ttdn-agent"
    )
    runtime_folder: Annotated[str, Meta(min_length=1, description="The status file lives here; keep it in memory.")] = (
        "/run/ttdn-agent"
    )
    outbox: OutboxSettings = OutboxSettings()
    playlog: PlaylogSettings = PlaylogSettings()
    bridge: BridgeSettings = BridgeSettings()
    remote: RemoteSettings = RemoteSettings()
    probes: Annotated[dict[str, dict[str, Any]], Meta(description="The probes that are on, and their settings.")] = {}

    def probe_settings(self) -> list[tuple[str, Struct]]:
        """Kind and settings of each probe that is on. ConfigError if one does not exist or is set wrongly."""
        kinds = {registered.name: registered.settings for registered in PROBES}
        found = []
        for name, table in self.probes.items():
            if name not in kinds:
                raise ConfigError(f"probes.{name}: there is no such probe; there are {', '.join(kinds)}")
            if name == "system":
                table = {"state_folder": self.state_folder, **table}
            found.append((name, _converted(table, kinds[name], f"probes.{name}")))
        return found

    def password(self) -> str:
        """The device's password; empty if none is set. ConfigError if the file cannot be read."""
        if not self.mqtt.password_file:
            return ""
        try:
            return Path(self.mqtt.password_file).read_text(encoding="utf-8-sig").strip()
        except OSError as error:
            raise ConfigError(f"mqtt.password_file: {self.mqtt.password_file}: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise ConfigError(f"mqtt.password_file: {self.mqtt.password_file}: not a text in UTF-8") from error


def config_file(given: Path | None, environ: Mapping[str, str] = os.environ) -> Path:
    """The file to read: the one that was given, else the environment's, else the usual one."""
    return given or Path(environ.get(FILE_VARIABLE, DEFAULT_FILE))


def load(file: Path, environ: Mapping[str, str] = os.environ) -> AgentSettings:
    """Read and check everything. ConfigError names file, key, what is wrong and what is expected."""
    raw = _read(file)
    variables = {name: value for name, value in environ.items() if name.startswith(_PREFIX) and name != FILE_VARIABLE}
    for variable, value in variables.items():
        _put(raw, variable, value)
    try:
        _refuse_loose_probes(raw.get("probes"))
        settings: AgentSettings = _converted(raw, AgentSettings, "")
        settings.probe_settings()
    except ConfigError as error:
        raise ConfigError(f"{_origin(str(error), variables) or file}: {error}") from error
    return settings


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigError(
            f"{file}: {error.strerror}; name another file with --config or {FILE_VARIABLE}, or write this one"
        ) from error
    except _NOT_TOML as error:
        raise ConfigError(f"{file}: not TOML: {error}") from error


def _put(raw: dict[str, Any], variable: str, value: str) -> None:
    *sections, key = variable.removeprefix(_PREFIX).lower().split("__")
    table = raw
    for section in sections:
        table = table.setdefault(section, {})
        if not isinstance(table, dict):
            raise ConfigError(f"{variable}: {section} is not a table that holds keys")
    table[key] = _value(variable, value)


def _value(variable: str, text: str) -> Any:
    if not text.startswith(("[", "{")):
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except _NOT_TOML as error:
        raise ConfigError(f"{variable}: not TOML: {error}") from error


def _origin(problem: str, variables: Iterable[str]) -> str:
    """The variable that set the key a problem begins with; empty if it stands in the file."""
    place, _, what = problem.partition(": ")
    if match := _UNKNOWN.search(what):
        place = match["key"] if place == _TOP else f"{place}.{match['key']}"
    for variable in variables:
        key = variable.removeprefix(_PREFIX).lower().replace("__", ".")
        if place == key or place.startswith((f"{key}.", f"{key}[")):
            return variable
    return ""


def _refuse_loose_probes(probes: object) -> None:
    for name, table in probes.items() if isinstance(probes, dict) else ():
        if not isinstance(table, dict):
            raise ConfigError(f"probes.{name}: expected a table [probes.{name}], got {table!r}")


def _converted(raw: Mapping[str, Any], to: type[Any], where: str) -> Any:
    try:
        settings = msgspec.convert(raw, to, strict=False)
        _refuse_unusable(msgspec.to_builtins(settings), where)
        return settings
    except msgspec.ValidationError as error:
        match = _PLACE.match(str(error))
        what, key = (match["what"], match["key"]) if match else (str(error), "")
        place = ".".join(part for part in (where, key) if part)
        raise ConfigError(f"{place or _TOP}: {what}") from error


def _refuse_unusable(value: object, place: str) -> None:
    """TOML can write `inf`, and no wait of that length ends; it can write a NUL, and no file has one in its name."""
    if isinstance(value, str) and "\0" in value:
        raise ConfigError(f"{place}: {value!r} holds a NUL character; expected a text without one")
    if isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(f"{place}: {value} is not a number to reckon with; expected a finite one")
    for key, part in value.items() if isinstance(value, dict) else ():
        _refuse_unusable(part, f"{place}.{key}".lstrip("."))
    for number, part in enumerate(value) if isinstance(value, list | tuple) else ():
        _refuse_unusable(part, f"{place}[{number}]")
