"""What every probe is: something that can be read, waited for and closed, in a thread of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from edge_agent.observation import Reading


class ProbeError(Exception):
    """A probe could not look at all. The text says at what, why, and what a technician does about it.

    It becomes a `fault` (`probe_failed`); the probe is read again after its interval.
    """


class Probe(Protocol):
    """One way of looking. Every call returns within the probe's own time limits; nothing here may block for ever."""

    name: str
    interval_s: float
    """The longest time between two reads."""

    def read(self) -> Sequence[Reading]:
        """The whole current view. Raises ProbeError when there is nothing to look at it with."""

    def wait(self, timeout_s: float) -> None:
        """Return when something changed that is worth a read, or after `timeout_s`."""

    def close(self) -> None:
        """Let go of sockets and threads; a `wait` under way returns. May be called more than once."""
