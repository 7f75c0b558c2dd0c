"""How wrong passwords slow down further ones: a bucket that each failure fills and time empties. Pure.

While the bucket holds fewer than `tries` failures nobody waits. Each one above that doubles the wait, up to a longest.
The same machine with two policies guards against two attackers (`hub.people.throttle` says how they work together).
"""

from __future__ import annotations

import math
from datetime import datetime
from typing import Final, NamedTuple


class Policy(NamedTuple):
    """When somebody has to wait, and how long."""

    tries: int
    """So many failures cost nothing."""
    leak_s: float
    """One failure is forgotten every so many seconds."""
    first_wait_s: float
    longest_wait_s: float


class Failures(NamedTuple):
    """What is remembered: how full the bucket was, and when that was."""

    level: float = 0.0
    at: datetime | None = None


NO_FAILURES: Final = Failures()
ONE_ADDRESS: Final = Policy(tries=5, leak_s=1_800, first_wait_s=30, longest_wait_s=900)
"""One account from one address."""
EVERYWHERE: Final = Policy(tries=50, leak_s=300, first_wait_s=60, longest_wait_s=3_600)
"""One account from wherever. It leaks so fast that one address alone, held to ONE_ADDRESS, never fills it."""


def level(failures: Failures, now: datetime, policy: Policy) -> float:
    """How full the bucket is now. A clock that steps back empties nothing."""
    if failures.at is None:
        return 0.0
    passed_s = max(0.0, (now - failures.at).total_seconds())
    return max(0.0, failures.level - passed_s / policy.leak_s)


def failed(failures: Failures, now: datetime, policy: Policy) -> Failures:
    """After one more."""
    return Failures(level(failures, now, policy) + 1, now)


def wait_s(failures: Failures, now: datetime, policy: Policy) -> float:
    """How long until the next try is looked at; 0: now. Never longer than the policy's longest.

    A clock that has stepped back further than that tells nothing: then nobody waits.
    """
    failed_often = math.ceil(failures.level)  # what has leaked by a moment's delay makes no try free
    if failures.at is None or failed_often < policy.tries:
        return 0.0
    doublings = min(failed_often - policy.tries, 64)
    full_s = min(policy.first_wait_s * 2.0**doublings, policy.longest_wait_s)
    left_s = full_s - (now - failures.at).total_seconds()
    return left_s if 0 < left_s <= policy.longest_wait_s else 0.0
