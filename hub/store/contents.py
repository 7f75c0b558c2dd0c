"""Numbers of contents as they were seen: a reference with a SHA-256, or with none. New ones get a row on the way."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import psycopg

from hub.store.arrays import numbers, texts
from hub.store.identities import StaleIdentity
from hub.store.named import named
from hub.store.resolution import resolve_new

_REMEMBERED: Final = 100_000
Content = tuple[str, str | None]
"""Reference, and SHA-256 in hex."""


class Contents:
    """One connection's knowledge. What it remembers is verified by `check`, since a database can be restored."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self._ids: dict[Content, int] = {}

    @property
    def is_full(self) -> bool:
        """Whether to `forget` before the next group; within one nothing is forgotten, for `check` asks of all of it."""
        return len(self._ids) >= _REMEMBERED

    def forget(self) -> None:
        """Remember nothing. Who has kept numbers that came from here forgets them, too."""
        self._ids.clear()

    def id(self, ref: str, sha256: str | None) -> int:
        """The number of a content. A row that it makes is committed at once: it says nothing yet."""
        known = self._ids.get((ref, sha256))
        return self._learn((ref, sha256)) if known is None else known

    def check(self, contents: Collection[Content]) -> None:
        """StaleIdentity if the database calls one of these by another number. To be asked in the transaction.

        Who catches it has everything forgotten that came from here, else trying again ends the same way.
        """
        arrays = {
            "ids": numbers(self._ids.get(content, 0) for content in contents),
            "refs": texts(ref for ref, _ in contents),
            "sha256s": texts(sha256 for _, sha256 in contents),
        }
        row = self._connection.execute(named("contents")["agree"], arrays).fetchone()
        if row is None or row[0] != len(contents):
            raise StaleIdentity

    def _learn(self, content: Content) -> int:
        given = {"ref": content[0], "sha256": content[1]}
        row = self._connection.execute(named("contents")["id"], given).fetchone()
        if row is None:
            with self._connection.transaction():
                new = self._connection.execute(named("contents")["ensure"], given).fetchone()
                if new is not None:
                    resolve_new(self._connection, new[0])
            row = self._connection.execute(named("contents")["id"], given).fetchone()
        if row is None:
            raise StaleIdentity
        self._ids[content] = row[0]
        return int(row[0])
