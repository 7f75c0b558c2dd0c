"""A process that ends at one step of what it does to the disk: before the step, or right after it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

_CALLS = ("open", "write", "fsync", "close")


class Killed(BaseException):
    """As SIGKILL: nothing of ours catches it, and what the kernel has taken stays."""


class Steps:
    """Counts the steps, and ends the process at one of them."""

    def __init__(self, at: int | None = None) -> None:
        """Every step is two places to end: `2 * n` before it, `2 * n + 1` after it."""
        self.at, self.places = at, 0

    def around(self, step: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **options: Any) -> Any:
            self._place()
            done = step(*arguments, **options)
            self._place()
            return done

        return counted

    def _place(self) -> None:
        place, self.places = self.places, self.places + 1
        if place == self.at:
            raise Killed


@contextmanager
def steps(monkeypatch: pytest.MonkeyPatch, at: int | None = None) -> Iterator[Steps]:
    """Within it each call that changes the disk is a step."""
    counter = Steps(at)
    with monkeypatch.context() as patched:
        for name in _CALLS:
            patched.setattr(os, name, counter.around(getattr(os, name)))
        rename = counter.around(Path.rename)
        patched.setattr(Path, "rename", lambda self, target: rename(self, target))
        yield counter
