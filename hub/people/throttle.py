"""Who may try a password now. In memory only: addresses are never written down, and are gone with the process.

Three rules, so that guessing is slow and yet nobody can cheaply lock out somebody else:

1. An account *from one network* (`lockout.ONE_ADDRESS`): whoever guesses locks out himself. The person at another
   address does not notice.
2. An account from everywhere (`lockout.EVERYWHERE`): against many networks at once. It forgets faster than rule 1 lets
   one network fail, so that one alone never gets there, however patient; ten at the same time do, or four for days.
   Networks from which the person has logged in since this process began, and sessions that are open, are not
   affected. `ttdn-hub user unlock` ends it at once.
3. A network that fails with many names: `hub.api.limits`.

A name that nobody has is treated exactly as one that somebody has: the answers do not tell which names exist.
"""

from __future__ import annotations

import ipaddress
import threading
from collections import OrderedDict
from collections.abc import Hashable
from datetime import datetime
from typing import Final, Generic, TypeVar

from hub.people.lockout import EVERYWHERE, NO_FAILURES, ONE_ADDRESS, Failures, failed, wait_s

MOST_PAIRS: Final = 50_000
_SUBSCRIBER_BITS: Final = 64
_K = TypeVar("_K", bound=Hashable)
_V = TypeVar("_V")


class _Memory(Generic[_K, _V]):
    """A dictionary that forgets what was not touched for longest, so that nobody can fill the memory."""

    def __init__(self, most: int) -> None:
        self._items: OrderedDict[_K, _V] = OrderedDict()
        self._most = most

    def get(self, key: _K, default: _V) -> _V:
        return self._items.get(key, default)

    def put(self, key: _K, value: _V) -> None:
        self._items[key] = value
        self._items.move_to_end(key)
        if len(self._items) > self._most:
            self._items.popitem(last=False)

    def drop(self, key: _K) -> None:
        self._items.pop(key, None)


class Throttle:
    """Of one process; thread-safe. Names are as typed, brought to one form; networks as `network_of` makes them."""

    def __init__(self, most: int = MOST_PAIRS) -> None:
        self._lock = threading.Lock()
        self._pairs: _Memory[tuple[str, str], Failures] = _Memory(most)
        self._nobody: _Memory[str, Failures] = _Memory(most)
        self._known: _Memory[tuple[str, str], datetime | None] = _Memory(most)

    def begin(
        self, name: str, network: str, now: datetime, account: Failures | None, unlocked_at: datetime | None = None
    ) -> float:
        """How long to wait, in s; 0: look at the password, which counts as failed here until `passed` says otherwise.

        So no race wins tries. `account` is what the store remembers of the person, None if there is no such person;
        what happened before `unlocked_at` is forgiven.
        """
        pair = (name, network)
        with self._lock:
            here = self._pairs.get(pair, NO_FAILURES)
            if unlocked_at is not None and here.at is not None and here.at <= unlocked_at:
                here = NO_FAILURES
            wait = wait_s(here, now, ONE_ADDRESS)
            if wait == 0 and self._known.get(pair, None) is None:
                everywhere = self._nobody.get(name, NO_FAILURES) if account is None else account
                wait = wait_s(everywhere, now, EVERYWHERE)
            if wait == 0:
                self._pairs.put(pair, failed(here, now, ONE_ADDRESS))
            return wait

    def failed_for_nobody(self, name: str, now: datetime) -> None:
        """A failure of a name that nobody has. Of persons the store keeps count."""
        with self._lock:
            self._nobody.put(name, failed(self._nobody.get(name, NO_FAILURES), now, EVERYWHERE))

    def passed(self, name: str, network: str, now: datetime) -> None:
        """The password was right: this network is known from now on. What others failed elsewhere stays counted."""
        with self._lock:
            self._pairs.drop((name, network))
            self._known.put((name, network), now)


def network_of(address: str | None) -> str:
    """What counts as one address: an IPv4 address, or the 64 bits that an IPv6 subscriber has to himself."""
    try:
        parsed = ipaddress.ip_address((address or "").split("%")[0])
    except ValueError:
        return "unknown"
    if parsed.version == 4:
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, _SUBSCRIBER_BITS), strict=False))
