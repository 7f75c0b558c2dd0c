"""The road of an event as it is measured: publisher, broker, hub and database, and what each of them costs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from contract.topics import PREFIX, topic
from tests.bench import publisher
from tests.bench.arena import Arena, hub
from tests.bench.child import Child, child
from tests.bench.proc import cpu_s, family_cpu_s
from tests.bench.publisher import Outgoing, Published
from tests.bench.workload import Batch, Workload

PATIENCE_S: Final = 60.0
_CONNECTIONS: Final = 16
_RECEIPTS: Final = f"{PREFIX}/+/receipt"


class Road(NamedTuple):
    """A running hub between its servers and a publisher."""

    arena: Arena
    hub: int
    """Process id of its first process."""
    publisher: Child

    def cpu_s(self) -> dict[str, float]:
        """What each process on the road has used so far."""
        return {
            "hub": family_cpu_s(self.hub),
            "postgresql": family_cpu_s(self.arena.postgres.pid),
            "broker": cpu_s(self.arena.broker.pid),
            "publisher": cpu_s(self.publisher.process.pid),
        }

    def publish(self, messages: list[Outgoing]) -> Published:
        """Send, and return when the broker has acknowledged all of it."""
        self.prepare(messages)
        return self.go()

    def prepare(self, messages: list[Outgoing]) -> None:
        """Hand over what `go` is to send."""
        self.publisher.tell(messages)
        self.publisher.answer()

    def go(self) -> Published:
        """Send what was prepared."""
        self.publisher.tell("go")
        published: Published = self.publisher.answer()
        return published

    def wait_until_stored(self, events: int) -> None:
        """Return when all of them are. Raises NotStoredOnceError."""
        self.arena.wait_until_booked(events, PATIENCE_S)
        self.arena.check_stored(events)


@contextmanager
def road(place: Arena, folder: Path, *, processes: int | None = None) -> Iterator[Road]:
    """Start hub and publisher; `processes` as in the hub's settings."""
    with ExitStack() as stack:
        ingesting = stack.enter_context(hub(place, folder, processes=processes))
        publishing = stack.enter_context(child(publisher.serve, place.broker.port, _CONNECTIONS, _RECEIPTS))
        yield Road(place, ingesting.pid, publishing)


def messages(workload: Workload, batches: Sequence[Batch], where: str = "", every_s: float = 0) -> list[Outgoing]:
    """Batches as messages, one every so many seconds; 0: as fast as they can be sent."""
    topics = [where.format(device=name) if where else topic(name, "events") for name in workload.devices]
    return [
        Outgoing(topics[batch.device], batch.payload.data, batch.payload.content_type, number * every_s)
        for number, batch in enumerate(batches)
    ]
