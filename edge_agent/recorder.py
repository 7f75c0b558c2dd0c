"""Makes drafts durable: stamps them with wall time, appends them, and says loudly what could not be taken."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from contract.errors import ContractError
from contract.events import UNNUMBERED, Fault
from edge_agent.clock import Clock
from edge_agent.draft import UNSTAMPED, Draft, stamped
from edge_agent.outbox.errors import OutboxError, OutboxFull
from edge_agent.outbox.outbox import Outbox
from edge_agent.outbox.store import Entry, Position

log = logging.getLogger(__name__)


class Recorder:
    """The way into the outbox for everything that sees something. Safe to use from every thread."""

    def __init__(self, outbox: Outbox, clock: Clock) -> None:
        self._outbox, self._clock = outbox, clock
        self._lock = threading.Lock()
        self.dropped = 0
        """Events that could not be taken since the start."""

    def append(self, drafts: Sequence[Draft]) -> list[Position]:
        """Durable when this returns. Raises what Outbox.append raises, and nothing is kept then."""
        return self._outbox.append(self.entries(drafts))

    def entries(self, drafts: Sequence[Draft]) -> list[Entry]:
        """The drafts with their wall time, sealed where that is final."""
        stamps = [self._clock.stamp(draft.at_ms) for draft in drafts]
        return [
            Entry(stamped(draft, stamp), draft.at_ms, stamp.final) for draft, stamp in zip(drafts, stamps, strict=True)
        ]

    def record(self, drafts: Sequence[Draft]) -> None:
        """For whoever cannot wait or try again: what cannot be taken is counted, and told once there is room."""
        if not drafts:
            return
        try:
            self.append(drafts)
        except ContractError as error:
            self._record_singly(drafts, error)
        except OutboxError as error:
            self._drop(drafts, error)
        else:
            self._tell_refusals()

    def _record_singly(self, drafts: Sequence[Draft], error: ContractError) -> None:
        """One event that cannot be one costs no other."""
        if len(drafts) == 1:
            self._drop(drafts, error)
        else:
            for draft in drafts:
                self.record([draft])

    def _drop(self, drafts: Sequence[Draft], error: OutboxError | ContractError) -> None:
        with self._lock:
            self.dropped += len(drafts)
        log.error("%d events could not be kept: %s", len(drafts), error)

    def _tell_refusals(self) -> None:
        refused = self._outbox.take_refusals()
        if not refused:
            return
        reason = f"{refused} events were refused while the outbox was full"
        fault = Fault(seq=UNNUMBERED, time=UNSTAMPED, code="outbox_full", reason=reason, component="outbox")
        try:
            self.append([Draft(self._clock.now_ms(), fault)])
        except OutboxError as error:
            # The outbox has counted this fault as one more refused event, and it is none: it is said again.
            self._outbox.put_back_refusals(refused - isinstance(error, OutboxFull))
            log.warning("%s, which is told later: %s", reason, error)
