"""Questions about visitors, for `hub.store.readers.Reader`: it brings the snapshot and the provinces."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import date
from typing import Any, Literal, NamedTuple

Row = dict[str, Any]
VisitGrouping = Literal["site", "language", "topic", "hour_of_week"]


class PublishedPlace(NamedTuple):
    """A place in the order of published figures: the last one of a page."""

    month: date
    site: str
    language: str


class VisitReader(ABC):
    """A part of `Reader`."""

    @abstractmethod
    def _all(self, file: str, query: str, **values: object) -> list[Row]:
        """Every row of a named query."""

    def visits(self, by: VisitGrouping, first: date, last: date, site: str | None = None) -> list[Row]:
        """Exact sums over local days, both included; a row has the columns of its grouping and the sums."""
        return self._all("visit_reading", f"by_{by}", first=first, last=last, site=site)

    def published_visitors(
        self, first: date | None, last: date | None, site: str | None, limit: int, after: PublishedPlace | None = None
    ) -> list[Row]:
        """Published figures of months, given by their first days, both included; oldest first, above `after`."""
        place = after._asdict() if after is not None else dict.fromkeys(PublishedPlace._fields)
        above = {f"after_{name}": value for name, value in place.items()}
        return self._all("visit_reading", "published", first=first, last=last, site=site, limit=limit, **above)
