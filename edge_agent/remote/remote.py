"""The hub's word on this device, put together: a thread that takes configurations and commands one after the other.

connection's thread -> `hear` -> queue -> this thread: configurations, commands -> reply by the courier
main thread -> `tick`: the month's data, and the pace that follows from it
"""

from __future__ import annotations

import logging
import os
import queue
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from contract import codec
from contract.command import Reply
from contract.config import DeviceConfig, is_open
from contract.topics import Channel
from edge_agent.clock import Clock
from edge_agent.courier import Courier
from edge_agent.draft import Draft
from edge_agent.observation import Trouble
from edge_agent.remote import budget, configuration
from edge_agent.remote.command_log import CommandLog
from edge_agent.remote.commands import Commands
from edge_agent.remote.configurations import Configurations
from edge_agent.remote.deeds import Surroundings, deeds
from edge_agent.remote.hand import Hand
from edge_agent.remote.kept_configuration import KeptConfiguration
from edge_agent.remote.meter import Meter
from edge_agent.remote.settings import RemoteSettings
from edge_agent.update.updates import Updates
from edge_agent.uplink import Pace

FOLDER: Final = "remote"
MOST_WAITING: Final = 32
ENDS_S: Final = 2.0
_LOCAL_S: Final = 7 * 3_600
log = logging.getLogger(__name__)


class RemoteStatus(NamedTuple):
    """For `ttdn-agent status`."""

    revision: int
    is_open: bool | None
    """By the opening hours that the hub has set; None: it has not, or the time is not known."""
    month_bytes: int
    budget_bytes: int | None
    data: budget.Step


class _Word(NamedTuple):
    channel: Channel
    data: bytes
    content_type: str


class Remote:
    """Made before the courier, whose hello tells the revision; `begin` gives it what it works with."""

    def __init__(
        self,
        state_folder: Path,
        settings: RemoteSettings,
        clock: Clock,
        *,
        apply: Callable[[DeviceConfig], None],
        record: Callable[[list[Draft]], None],
    ) -> None:
        """`apply` makes a configuration hold and does not fail; `record` takes events."""
        folder = state_folder / FOLDER
        self._settings, self._clock, self._apply = settings, clock, apply
        kept = KeptConfiguration(folder)
        self._configurations = Configurations(
            kept,
            allowed=settings.configuration,
            apply=self._put_in_force,
            record=record,
            now_ms=clock.now_ms,
            disk_bytes=lambda: _disk_bytes(state_folder),
        )
        self._log, self._meter = CommandLog(folder), Meter(folder)
        self._commands: Commands | None = None
        self._courier: Courier | None = None
        self._updates: Updates | None = None
        self._words: queue.Queue[_Word | None] = queue.Queue(MOST_WAITING)
        self._thread = threading.Thread(target=self._work, name="remote", daemon=True)
        self._step: budget.Step = "plenty"
        self.kept_problem = kept.problem

    @property
    def configuration(self) -> DeviceConfig | None:
        """What the hub has set."""
        return self._configurations.current

    @property
    def has_plenty(self) -> bool:
        """Whether the month's data allows what can wait."""
        return self._step == "plenty"

    def revision(self) -> int:
        """For the hello."""
        return self._configurations.revision

    # -- begin and end -----------------------------------------------------------------------------------------------

    def begin(
        self,
        courier: Courier,
        device: str,
        hands: Sequence[Hand],
        is_visited: Callable[[], bool],
        updates: Updates | None = None,
    ) -> None:
        """Take words from now on; before the courier is started."""
        self._courier, self._updates = courier, updates
        around = Surroundings(device, hands, courier.send_now, lambda: self._step, is_visited)
        if updates is not None:
            around = around._replace(update=updates.take)
        self._commands = Commands(
            self._log, deeds(around), allowed=self._settings.commands, hub_now_ms=self._hub_now_ms
        )
        self._set_pace()
        self._thread.start()

    def end(self) -> None:
        """Finish what is in hand, within ENDS_S, and note the month's data."""
        if self._thread.is_alive():
            self._put(None)
            self._thread.join(ENDS_S)
        self._meter.keep(self._clock.now_ms())

    # -- from other threads ------------------------------------------------------------------------------------------

    def hear(self, channel: Channel, data: bytes, content_type: str) -> None:
        """Something that the hub said; returns at once."""
        self._put(_Word(channel, data, content_type))

    def tick(self, now_ms: int) -> list[Trouble]:
        """About once a second, from one thread: count the line's bytes; what is the matter with the budget."""
        if self._courier is not None:
            fetched = self._updates.fetched_bytes if self._updates is not None else 0
            self._meter.count(self._courier.line_bytes() + fetched, self._certain_ms(), now_ms)
        before, self._step = self._step, budget.step(self._meter.used.bytes, self._month_bytes())
        if self._step != before:
            log.warning("the month's data: %s", self._step)
            self._set_pace()
        return [] if self._step == "plenty" else [Trouble(code="data_budget", reason=self._used())]

    def status(self) -> RemoteStatus:
        """Now."""
        return RemoteStatus(self.revision(), self._is_open(), self._meter.used.bytes, self._month_bytes(), self._step)

    # -- the thread --------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        while (word := self._words.get()) is not None:
            try:
                reply = self._take(word)
            except Exception:  # a bug over one word must not cost the next one: the hub sends this one again
                log.exception("a word of the hub on %s", word.channel)
                continue
            if reply is not None and self._courier is not None:
                self._courier.reply(codec.encode_reply(reply))

    def _take(self, word: _Word) -> Reply | None:
        if word.channel == "config":
            return self._configurations.take(word.data, word.content_type)
        if word.channel == "command" and self._commands is not None:
            return self._commands.take(word.data, word.content_type)
        return None

    def _put(self, word: _Word | None) -> None:
        try:
            self._words.put_nowait(word)
        except queue.Full:
            log.warning("too many words of the hub wait; one is left to be sent again")

    def _put_in_force(self, config: DeviceConfig) -> None:
        self._apply(config)
        self._set_pace()

    def _set_pace(self) -> None:
        if self._courier is not None:
            self._courier.set_pace(self.pace())

    def pace(self) -> Pace:
        """As configured, or slower for the budget's sake."""
        return budget.slowed(configuration.pace(self.configuration), self._step)

    # -- time and data -----------------------------------------------------------------------------------------------

    def _certain_ms(self) -> int | None:
        stamp = self._clock.stamp(self._clock.now_ms())
        return stamp.time_ms if stamp.clock == "synced" else None

    def _hub_now_ms(self) -> int | None:
        certain = self._certain_ms()
        if certain is not None or self._courier is None:
            return certain
        return self._courier.hub_time_ms()

    def _month_bytes(self) -> int | None:
        config = self.configuration
        return config.budget.month_bytes if config is not None and config.budget is not None else None

    def _used(self) -> str:
        return f"{self._meter.used.bytes} of {self._month_bytes()} bytes of this month are used"

    def _is_open(self) -> bool | None:
        config, certain = self.configuration, self._certain_ms()
        if config is None or config.opening is None or certain is None:
            return None
        local = time.gmtime(certain // 1000 + _LOCAL_S)
        return is_open(config.opening, local.tm_wday + 1, local.tm_hour * 60 + local.tm_min)


def _disk_bytes(folder: Path) -> int | None:
    try:
        disk = os.statvfs(folder)
    except OSError:
        return None
    return disk.f_blocks * disk.f_frsize
