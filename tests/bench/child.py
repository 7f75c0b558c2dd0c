"""A process of the bench's own at the other end of a pipe."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any, Final

_PATIENCE_S: Final = 120.0
_context: Final = multiprocessing.get_context("spawn")


class Child:
    """Takes orders and answers them, one at a time."""

    def __init__(self, connection: Connection, process: Any) -> None:
        self._connection, self.process = connection, process

    def tell(self, order: object) -> None:
        """Give an order and do not wait."""
        self._connection.send(order)

    def answer(self) -> Any:
        """What it says next. Raises RuntimeError if it ends or says nothing for two minutes."""
        if not self._connection.poll(_PATIENCE_S):
            raise RuntimeError(f"{self.process.name} says nothing")
        try:
            return self._connection.recv()
        except EOFError as error:
            raise RuntimeError(f"{self.process.name} has failed; its own words stand above") from error


@contextmanager
def child(serve: Callable[..., None], *arguments: object) -> Iterator[Child]:
    """`serve(*arguments, connection)` in a new process; it ends when the connection closes."""
    ours, theirs = _context.Pipe()
    process = _context.Process(target=serve, args=(*arguments, theirs), name=serve.__module__, daemon=True)
    process.start()
    theirs.close()
    try:
        yield Child(ours, process)
    finally:
        ours.close()
        process.join(10)
        if process.is_alive():
            process.kill()
            process.join()
