"""An agent under load, as a process: the real agent, and an event source that tells a journal what it does.

`python -m tests.chaos.source --config FILE --journal FILE --seed N --rate N`. SIGTERM ends it in good order, SIGUSR1
ends the load and leaves the agent running.
"""

from __future__ import annotations

import argparse
import logging
import random
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from contract.events import UNNUMBERED, AnyEvent, Facts, Fault, Health, Interaction, Play, Screen
from edge_agent.agent import Agent
from edge_agent.clock import Clock
from edge_agent.config import load
from edge_agent.draft import UNSTAMPED, Draft
from edge_agent.outbox.outbox import Outbox
from edge_agent.recorder import Recorder
from simulator.journal import Journal, JournaledRecorder

TEXTS: Final = ("", "Cửa khẩu Tà Lùng", "口岸", "ດ່ານສາກົນ", "x" * 500)


class Load(threading.Thread):
    """Makes events of all kinds that probes and visitors make, no two of the same content."""

    def __init__(self, recorder: Recorder, now_ms: Callable[[], int], seed: str, rate: float, together: int) -> None:
        super().__init__(name="load", daemon=True)
        self._recorder, self._now_ms, self._rate, self._together = recorder, now_ms, rate, together
        self._rng = random.Random(seed)
        self.resting = threading.Event()

    def run(self) -> None:
        while not self.resting.is_set():
            drafts = [Draft(self._now_ms(), self._event()) for _ in range(self._rng.randint(1, self._together))]
            self._recorder.record(drafts)
            self.resting.wait(self._rng.expovariate(self._rate / len(drafts)))

    def _event(self) -> AnyEvent:
        makers = (self._play, self._play, self._screen, self._interaction, self._health, self._fault)
        return self._rng.choice(makers)()

    def _play(self) -> Play:
        rng = self._rng
        facts = Facts(reported=True, rendering=rng.choice((True, False, None)), panel=rng.choice(("on", "unknown")))
        return Play(
            seq=UNNUMBERED,
            time=UNSTAMPED,
            play_id=rng.getrandbits(50) + 1,
            slice=rng.randrange(4),
            content_ref=f"clip-{rng.randrange(9)}.mkv",
            content_sha256=rng.choice((None, f"{rng.getrandbits(256):064x}")),
            screen=rng.choice(("main", "left")),
            player="mpv",
            duration_ms=rng.randrange(300_000),
            facts=facts,
        )

    def _screen(self) -> Screen:
        return Screen(
            seq=UNNUMBERED, time=UNSTAMPED, screen="main", state="active", brightness=self._rng.randrange(101)
        )

    def _interaction(self) -> Interaction:
        rng = self._rng
        session = rng.getrandbits(50) + 1
        return Interaction(
            seq=UNNUMBERED, time=UNSTAMPED, session=session, action="feedback", rating=rng.randint(1, 5), language="lo"
        )

    def _health(self) -> Health:
        rng = self._rng
        free = rng.getrandbits(40)
        return Health(seq=UNNUMBERED, time=UNSTAMPED, temperature_c=rng.uniform(-20, 90), disk_free_bytes=free)

    def _fault(self) -> Fault:
        reason = f"{self._rng.choice(TEXTS)} {self._rng.getrandbits(40)}"[:512]
        return Fault(seq=UNNUMBERED, time=UNSTAMPED, code="test", reason=reason, component="load")


def main() -> int:
    """Run until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.source")
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--journal", type=Path, required=True)
    parser.add_argument("--seed", default="0")
    parser.add_argument("--rate", type=float, default=50, help="events a second")
    parser.add_argument("--together", type=int, default=8, help="most events of one append")
    options = parser.parse_args()
    logging.basicConfig(level="INFO", format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    settings = load(options.config)
    journal = Journal(options.journal, settings.device)

    def recorder(outbox: Outbox, clock: Clock) -> Recorder:
        return JournaledRecorder(outbox, clock, journal)

    agent = Agent(settings, recorder=recorder)
    made = Load(agent.recorder, Clock().now_ms, options.seed, options.rate, options.together)
    signal.signal(signal.SIGUSR1, lambda *_: made.resting.set())
    signal.signal(signal.SIGTERM, lambda *_: agent.stop())
    logging.info("the source runs")
    made.start()
    try:
        agent.run()
    finally:
        made.resting.set()
        made.join(30)
    return 0


if __name__ == "__main__":
    sys.exit(main())
