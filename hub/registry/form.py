"""A form: a file that people fill in. `hub.registry.template` writes it, `hub.registry.rows` reads it."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources.abc import Traversable

from hub.registry.columns import Column


@dataclass(frozen=True, kw_only=True)
class Form:
    """What a file is called, and what stands in its columns."""

    name: str
    """As commands and the API call it."""
    title_vi: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    """Columns that say which entry a row is of."""
    shipped: Traversable | None = None
    """A file that comes with the hub, of this kind: to be looked through and imported as any other."""

    def shipped_bytes(self) -> bytes | None:
        """What comes with the hub; None if nothing does."""
        return None if self.shipped is None else self.shipped.read_bytes()
