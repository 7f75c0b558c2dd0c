"""Makes drafts durable: stamps them with wall time, appends them, and says loudly what could not be taken."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from contract.errors import ContractError
from contract.events import UNNUMBERED, Fault
from edge_agent.clock import Clock
from edge_agent.draft import UNSTAMPED, Draft, stamped
from edge_agent.outbox.errors import OutboxError
from edge_agent.outbox.outbox import Outbox
from edge_agent.outbox.store import Entry, Position

log = logging.getLogger(__name__)


class Recorder:
    """The way into the outbox for everything that sees something. Safe to use from every thread."""

    def __init__(self, outbox: Outbox, clock: Clock) -> None:
        self._outbox, self._clock = outbox, clock
        self.dropped = 0
        """Events that could not be taken since the start."""

    def append(self, drafts: Sequence[Draft]) -> list[Position]:
        """Durable when this returns. Raises what Outbox.append raises, and nothing is kept then."""
        entries = [Entry(stamped(draft, self._clock.stamp(draft.at_ms)), draft.at_ms) for draft in drafts]
        return self._outbox.append(entries)

    def record(self, drafts: Sequence[Draft]) -> None:
        """For whoever cannot wait or try again: what cannot be taken is counted, and told once there is room."""
        if not drafts:
            return
        try:
            self.append(drafts)
        except (OutboxError, ContractError) as error:
            self.dropped += len(drafts)
            log.error("%d events could not be kept: %s", len(drafts), error)  # noqa: TRY400 - the text is for technicians
        else:
            self._tell_refusals()

    def _tell_refusals(self) -> None:
        refused = self._outbox.take_refusals()
        if refused:
            reason = f"{refused} events were refused while the outbox was full"
            fault = Fault(seq=UNNUMBERED, time=UNSTAMPED, code="outbox_full", reason=reason, component="outbox")
            self.record([Draft(self._clock.now_ms(), fault)])
