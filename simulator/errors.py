"""The root of what the simulator raises."""

from __future__ import annotations


class SimulatorError(Exception):
    """Something the simulated border stands on did not work. The text says what, where, and what to do about it."""


class ServerError(SimulatorError):
    """A server that the demo or the tests start did not start, stopped by itself, or cannot be reached.

    Trying again without changing what the text names does not help.
    """


def tail(text: str, lines: int = 12) -> str:
    """The last `lines` lines of a server's log, set off for an error's text; says so where there are none."""
    last = text.strip().splitlines()[-lines:]
    return "\n".join(f"    {line[:400]}" for line in last) or "    (its log is empty)"
