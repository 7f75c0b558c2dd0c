"""Questions about catalogue and plan, for `hub.store.readers.Reader`: it brings the snapshot and the provinces."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from hub.catalogue.versions import in_force
from hub.store.catalogue import version_of
from hub.store.plan_results import ResultFilter, ResultPlace, page_of

Row = dict[str, Any]


class CatalogueReader(ABC):
    """A part of `Reader`."""

    @abstractmethod
    def _all(self, file: str, query: str, **values: object) -> list[Row]:
        """Every row of a named query."""

    def topics(self) -> list[Row]:
        """Subjects of all letters."""
        return self._all("catalogue", "topics")

    def contents(self, after: str, limit: int, topic: str | None = None, *, deleted: bool = False) -> list[Row]:
        """Contents by code, above one, each as its newest version says."""
        given = {"after": after, "limit": limit, "topic": topic, "deleted": deleted}
        return self._all("catalogue_reading", "contents", **given)

    def content_versions(self, code: str) -> list[Row]:
        """All versions of a content, oldest first; `in_force` says which no later one took the place of."""
        rows = self._all("catalogue", "versions", codes=[code])
        held = {version.version for version in in_force(version_of(row).as_evidence for row in rows)}
        return [row | {"in_force": row["version"] in held} for row in rows]

    def seen(self, code: str) -> list[Row]:
        """What was seen that rests on a content's versions, day by day."""
        return self._all("catalogue_reading", "seen", code=code)

    def resolution_changes(self, limit: int, before: int | None = None, code: str | None = None) -> list[Row]:
        """What changes of the catalogue made of what was shown, newest first."""
        return self._all("catalogue_reading", "changes", limit=limit, before=before, code=code)

    def plan(self) -> list[Row]:
        """Lines of the plan with the devices that they are for."""
        return self._all("catalogue_reading", "plan")

    def plan_results(self, wanted: ResultFilter, limit: int, after: ResultPlace | None = None) -> list[Row]:
        """How windows of the plan stand, oldest first, above `after`."""
        return self._all("plan_results", "results", **page_of(wanted, limit, after))

    def plan_summary(self, wanted: ResultFilter) -> list[Row]:
        """How many windows of each line of the plan stand how; `wanted.result` says nothing here."""
        return self._all("plan_results", "summary", **wanted._asdict())
