"""Ctrl-C, `kill` and a closed terminal: once to finish in order, twice to end at once, never in the middle of that."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final, Self

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """End at once. Raised in the main thread, wherever it is; what was started is ended on the way out."""


class Interrupts:
    """Use with `with`, in the main thread. Until `expect` the first signal raises Interrupted, then the second does."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        """Set by the first signal after `expect`."""
        self._expected = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._take) for number in _SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def expect(self) -> None:
        """From now on somebody looks at `asked`."""
        self._expected = True

    @contextmanager
    def deaf_at_the_end(self) -> Iterator[None]:
        """After the block, and so while things are ended behind it, no signal disturbs."""
        try:
            yield
        finally:
            for number in _SIGNALS:
                signal.signal(number, signal.SIG_IGN)

    def _take(self, _number: int, _frame: FrameType | None) -> None:
        if not self._expected or self.asked.is_set():
            raise Interrupted
        self.asked.set()
