"""From the troubles that are present to `fault` events: one when a trouble shows, then one an hour while it lasts.

A trouble that comes and goes is one trouble: it is new again only after it has stayed away for `clear_s`. Reasons may
hold changing figures, so a component's troubles of one code are told apart only by how many there are at once.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from contract.events import UNNUMBERED, Fault
from edge_agent.draft import UNSTAMPED, Draft
from edge_agent.observation import Trouble

MAX_REASON = 512


class _Lasting(Struct):
    """Troubles of one code of one component, since they first showed."""

    told_ms: int
    told: int
    """How many at once have been reported."""
    reasons: list[str]
    """As of the last look that saw any."""
    gone_since_ms: int | None = None


class FaultLatch:
    """Says which troubles are to be reported. Pure: moments are CLOCK_BOOTTIME in ms. Not safe for several threads."""

    def __init__(self, *, repeat_s: int = 3_600, clear_s: int = 300) -> None:
        self._repeat_ms, self._clear_ms = repeat_s * 1000, clear_s * 1000
        self._lasting: dict[tuple[str, str], _Lasting] = {}

    def see(self, component: str, troubles: Sequence[Trouble], at_ms: int) -> list[Draft]:
        """Take the whole set of a component's present troubles; what is no longer in it has gone."""
        present: dict[str, list[str]] = {}
        for trouble in troubles:
            reasons = present.setdefault(trouble.code, [])
            if trouble.reason not in reasons:
                reasons.append(trouble.reason)
        self._note_gone(component, present, at_ms)
        return [
            _draft(component, code, reason, at_ms)
            for code, reasons in present.items()
            for reason in self._to_tell((component, code), reasons, at_ms)
        ]

    def _note_gone(self, component: str, present: dict[str, list[str]], at_ms: int) -> None:
        for (of, code), lasting in self._lasting.items():
            if of == component and code not in present and lasting.gone_since_ms is None:
                lasting.gone_since_ms = at_ms

    def _to_tell(self, key: tuple[str, str], reasons: list[str], at_ms: int) -> list[str]:
        lasting = self._lasting.get(key)
        if lasting is None or self._has_cleared(lasting, at_ms) or at_ms - lasting.told_ms >= self._repeat_ms:
            self._lasting[key] = _Lasting(at_ms, len(reasons), reasons)
            return reasons
        further = len(reasons) - lasting.told
        new = [reason for reason in reasons if reason not in lasting.reasons]
        lasting.reasons, lasting.gone_since_ms = reasons, None
        lasting.told = max(lasting.told, len(reasons))
        return new[:further] if further > 0 else []

    def _has_cleared(self, lasting: _Lasting, at_ms: int) -> bool:
        return lasting.gone_since_ms is not None and at_ms - lasting.gone_since_ms >= self._clear_ms


def _draft(component: str, code: str, reason: str, at_ms: int) -> Draft:
    fault = Fault(seq=UNNUMBERED, time=UNSTAMPED, code=code, reason=_wired(reason), component=component)
    return Draft(at_ms, fault)


def _wired(reason: str) -> str:
    """The reason as the contract can carry it: no NUL, no lone surrogate of a file name, not too long."""
    return reason.encode("utf-8", "replace").decode().replace("\0", "")[:MAX_REASON]
