"""Simulated players and machines as probes of the real agent: they look at a story instead of a screen."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from edge_agent.clock import boottime_ms
from edge_agent.observation import Reading, Trouble, Vitals
from simulator.border import Device
from simulator.scenes import PLAYERS, Scene

_LOOK_S: Final = 2.0
_VITALS_S: Final = 20.0
_UNDERVOLTAGE: Final = 0.03


class _Waiting:
    """`wait` and `close` of a probe."""

    def __init__(self) -> None:
        self._closing = threading.Event()

    def wait(self, timeout_s: float) -> None:
        self._closing.wait(timeout_s)

    def close(self) -> None:
        self._closing.set()


class SimulatedPlayer(_Waiting):
    """Follows `scenes` in real time. A scene is seen at the very moment at which it begins, however late it is read.

    So what is measured from that moment on includes the agent's own way of seeing. `begun` is told of each scene.
    """

    def __init__(
        self,
        device: Device,
        scenes: Iterator[Scene],
        *,
        now_ms: Callable[[], int] = boottime_ms,
        begun: Callable[[Scene, int], None] = lambda _scene, _at_ms: None,
    ) -> None:
        super().__init__()
        self.name, self.interval_s = PLAYERS[device.kind], _LOOK_S
        self._device, self._scenes, self._now_ms, self._begun = device, scenes, now_ms, begun
        self._scene = next(scenes)
        self._until_ms: int | None = None

    def read(self) -> Sequence[Reading]:
        """Every scene that began since the last read, and the present one as of now."""
        now_ms = self._now_ms()
        readings: list[Reading] = []
        if self._until_ms is None:
            readings += self._begin(now_ms)
        while self._until_ms is not None and now_ms >= self._until_ms:
            self._scene = next(self._scenes)
            readings += self._begin(self._until_ms)
        return [*readings, *self._scene.readings(self._device, now_ms), *self._scene.troubles]

    def wait(self, timeout_s: float) -> None:
        """Until the next scene, or the timeout."""
        left_s = timeout_s if self._until_ms is None else (self._until_ms - self._now_ms()) / 1000
        super().wait(min(timeout_s, max(left_s, 0)))

    def _begin(self, at_ms: int) -> list[Reading]:
        self._until_ms = at_ms + self._scene.lasts_ms
        self._begun(self._scene, at_ms)
        return [*self._scene.readings(self._device, at_ms)]


class SimulatedSystem(_Waiting):
    """A small computer in a cabinet at the border: warm, and its supply voltage drops now and then."""

    def __init__(self, device: Device, seed: str, *, now_ms: Callable[[], int] = boottime_ms) -> None:
        super().__init__()
        self.name, self.interval_s = "system", _VITALS_S
        self._chance = random.Random(f"{seed}/{device.name}/system")
        self._now_ms = now_ms
        self._started_ms = now_ms()
        self._temperature_c = self._chance.uniform(38, 55)

    def read(self) -> Sequence[Reading]:
        """The machine's condition."""
        chance, now_ms = self._chance, self._now_ms()
        self._temperature_c = min(max(self._temperature_c + chance.uniform(-1.5, 1.5), 30), 78)
        low = chance.random() < _UNDERVOLTAGE
        vitals = Vitals(
            at_ms=now_ms,
            temperature_c=round(self._temperature_c, 1),
            undervoltage=low,
            storage_errors=0,
            disk_free_bytes=20_000_000_000 - chance.randint(0, 1_000_000_000),
            memory_available_bytes=chance.randint(300_000_000, 900_000_000),
            uptime_s=(now_ms - self._started_ms) // 1000,
            signal_dbm=chance.randint(-105, -70),
        )
        return [vitals, Trouble(code="undervoltage", reason="4.6 V")] if low else [vitals]
