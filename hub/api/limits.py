"""How much one asker may ask, in windows of time; in memory, so that no address is ever written down."""

from __future__ import annotations

import math
import time
from typing import Final

from fastapi import HTTPException
from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from hub.config import ApiSettings

_FAILED_LOGINS: Final = RateLimitItemPerMinute(30, 15, namespace="failed-logins")
"""From one address, whatever names are tried: a whole office behind one address errs less."""
_ENROLMENTS: Final = RateLimitItemPerMinute(600, 1, namespace="enrolments")
"""Of all: each costs a signature or a lookup, and nobody waits long behind a flood."""
_ADDRESS_ENROLMENTS: Final = RateLimitItemPerMinute(30, 1, namespace="address-enrolments")
"""From one address; mobile networks have many kiosks behind one."""
_REFUSED_ENROLMENTS: Final = RateLimitItemPerMinute(10, 10, namespace="refused-enrolments")
"""From one address: somebody mistypes a code less often."""


class TooMany(HTTPException):
    """Ask again later: status 429 with Retry-After."""

    def __init__(self, detail: str, wait_s: float) -> None:
        self.wait_s = max(1, math.ceil(wait_s))
        again = f"{detail}; try again in {self.wait_s} s"
        super().__init__(429, again, headers={"Retry-After": str(self.wait_s)})


class Limits:
    """Of one process; thread-safe. Fixed windows: their counts vanish with the window."""

    def __init__(self, settings: ApiSettings) -> None:
        self._windows = FixedWindowRateLimiter(MemoryStorage())
        self._principal = RateLimitItemPerMinute(settings.requests_per_minute, namespace="principal")
        self._address = RateLimitItemPerMinute(settings.address_requests_per_minute, namespace="address")

    def count_address(self, network: str) -> None:
        """One more request; TooMany."""
        self._count(self._address, network, "too many requests from this address")

    def count_principal(self, key: str) -> None:
        """One more request; TooMany."""
        self._count(self._principal, key, f"too many requests of {key}")

    def refuse_failing(self, network: str) -> None:
        """TooMany if this address has failed to log in too often."""
        if not self._windows.test(_FAILED_LOGINS, network):
            raise TooMany("too many failed logins from this address", self._left_s(_FAILED_LOGINS, network))

    def count_failed_login(self, network: str) -> None:
        """One more failure of this address."""
        self._windows.hit(_FAILED_LOGINS, network)

    def count_enrolment(self, network: str) -> None:
        """One more request to enrol or renew; TooMany, also if this address was refused too often."""
        if not self._windows.test(_REFUSED_ENROLMENTS, network):
            raise TooMany("too many refused requests", self._left_s(_REFUSED_ENROLMENTS, network))
        self._count(_ADDRESS_ENROLMENTS, network, "too many requests from this address")
        self._count(_ENROLMENTS, "all", "too many requests at this moment")

    def count_refused_enrolment(self, network: str) -> None:
        """One more that was refused."""
        self._windows.hit(_REFUSED_ENROLMENTS, network)

    def _count(self, item: RateLimitItem, key: str, detail: str) -> None:
        if not self._windows.hit(item, key):
            raise TooMany(detail, self._left_s(item, key))

    def _left_s(self, item: RateLimitItem, key: str) -> float:
        return self._windows.get_window_stats(item, key).reset_time - time.time()
