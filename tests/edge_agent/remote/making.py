"""Configurations and commands for the tests, and what takes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from contract import codec
from contract.command import Args, Command, Reply
from contract.config import DeviceConfig, Intervals
from edge_agent.draft import Draft
from edge_agent.remote.command_log import CommandLog
from edge_agent.remote.commands import Commands, Deed
from edge_agent.remote.configurations import Configurations
from edge_agent.remote.kept_configuration import KeptConfiguration

NOW_MS = 1_790_000_000_000
DISK_BYTES = 16_000_000_000


def config(revision: int, **intervals: Any) -> DeviceConfig:
    return DeviceConfig(revision=revision, intervals=Intervals(**intervals))


def command(name: str = "send-now", number: int = 1, *, lasts_ms: int = 600_000, site: str = "") -> Command:
    return Command(id=f"{number:016x}", name=name, issued_ms=NOW_MS, expires_ms=NOW_MS + lasts_ms, args=Args(site=site))


class Device:
    """What remembers on a device, over one folder; a new one on the same folder is the next run of the agent."""

    def __init__(self, folder: Path, *, allowed: bool = True, deeds: Mapping[str, Deed] | None = None) -> None:
        self.applied: list[DeviceConfig] = []
        self.told: list[str] = []
        self.hub_now_ms: int | None = NOW_MS + 1
        self.configurations = Configurations(
            KeptConfiguration(folder),
            allowed=allowed,
            apply=self.applied.append,
            record=self._record,
            now_ms=lambda: 0,
            disk_bytes=lambda: DISK_BYTES,
        )
        self.commands = Commands(CommandLog(folder), deeds or {}, allowed=allowed, hub_now_ms=lambda: self.hub_now_ms)

    def set(self, wanted: DeviceConfig) -> Reply:
        return self.set_bytes(*codec.encode_config(wanted))

    def set_bytes(self, data: bytes, content_type: str = codec.JSON) -> Reply:
        reply = self.configurations.take(data, content_type)
        assert reply is not None
        codec.encode_reply(reply)
        return reply

    def ask(self, asked: Command) -> Reply:
        reply = self.commands.take(*codec.encode_command(asked))
        assert reply is not None
        codec.encode_reply(reply)
        return reply

    def _record(self, drafts: list[Draft]) -> None:
        self.told += [draft.event.detail for draft in drafts]  # type: ignore[union-attr]


MakeDevice = Callable[..., Device]
