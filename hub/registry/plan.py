"""What a file would do to the registry: what it adds, what it changes from what to what, and all that is wrong with it.

Pure: the store says what is known, and carries out what was planned.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Final

from hub.errors import ImportRefused, Problem
from hub.registry.cells import shown
from hub.registry.files import FileKind
from hub.registry.known import Known
from hub.registry.opening import week_text
from hub.registry.rows import BadCell, NumberedRow, Rows, read_rows

Entry = Any
"""One of `hub.registry.entries`, by the kind of file."""
_NOT_COMPARED: Final = "since"
"""From when a row holds; both sides are looked at for that day."""


@dataclass(frozen=True)
class Change:
    """What one row does."""

    row: int
    key: str
    entry: Entry
    former: Entry | None
    """As the registry holds it; None: it is new."""

    def fields(self) -> dict[str, tuple[str | None, str | None]]:
        """What is other than before, as people read it: old and new."""
        if self.former is None:
            return {}
        names = [name for name in self.entry._fields if name != _NOT_COMPARED]
        pairs = {name: (getattr(self.former, name), getattr(self.entry, name)) for name in names}
        return {name: (_told(name, old), _told(name, new)) for name, (old, new) in pairs.items() if old != new}

    def since(self) -> str | None:
        """From when it holds, as people read it, if the row says so."""
        return shown(getattr(self.entry, _NOT_COMPARED, None)) or None

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        fields = {name: {"old": old, "new": new} for name, (old, new) in self.fields().items()}
        what = "added" if self.former is None else "changed"
        return {"row": self.row, "key": self.key, "what": what, "since": self.since(), "fields": fields}


@dataclass(frozen=True)
class Plan:
    """Everything about a file; with `problems` nothing of it is taken."""

    kind: str
    changes: Sequence[Change] = ()
    unchanged: int = 0
    problems: Sequence[Problem] = field(default_factory=list)

    @property
    def added(self) -> int:
        """Rows that are new."""
        return sum(change.former is None for change in self.changes)

    @property
    def changed(self) -> int:
        """Rows that are other than before."""
        return len(self.changes) - self.added

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "kind": self.kind,
            "added": self.added,
            "changed": self.changed,
            "unchanged": self.unchanged,
            "changes": [change.as_json() for change in self.changes],
            "problems": [{"row": one.row, "column": one.column, "problem": one.text} for one in self.problems],
        }


def plan(kind: FileKind[Any], data: bytes, known: Known, within: frozenset[str] | None) -> Plan:
    """What the file would do. `within`: provinces that are the sender's to change; None: all."""
    try:
        found = read_rows(data, kind.columns, kind.key)
    except ImportRefused as refused:
        return Plan(kind.name, problems=refused.found)
    known = replace(known, also=frozenset(row.cells[kind.key[0]] for row in found.rows))
    return _planned(kind, found, known, within)


def _planned(kind: FileKind[Any], found: Rows, known: Known, within: frozenset[str] | None) -> Plan:
    problems = list(found.problems)
    entries: list[tuple[NumberedRow, Entry]] = []
    for row in found.rows:
        entry, told = _read(kind, row, known)
        told = told or list(_foreign(kind, entry, known, within))
        problems += [found.problem(row, error) for error in told]
        if not told:
            entries.append((row, entry))
    for place, bad in kind.across([entry for _, entry in entries], known):
        problems.append(found.problem(entries[place][0], bad))
    changes = [change for row, entry in entries if (change := _change(kind, row, entry, known)) is not None]
    problems.sort(key=lambda one: one.row or 0)
    return Plan(kind.name, changes, len(entries) - len(changes), problems)


def _read(kind: FileKind[Any], row: NumberedRow, known: Known) -> tuple[Entry, list[BadCell]]:
    """What a row says, or everything that is wrong with it.

    Reading stops at the first bad cell; it goes on with the column's example in it, or with nothing. Where both are no
    good either (the example names something that this registry does not hold) the rest of the row stays untold.
    """
    cells, bad = dict(row.cells), dict[str, BadCell]()
    instead = {column.name: [column.example, ""] for column in kind.columns}
    while True:
        try:
            return kind.read(cells, known), list(bad.values())
        except BadCell as error:
            bad.setdefault(error.column, error)
            if not instead[error.column]:
                return None, list(bad.values())
            cells[error.column] = instead[error.column].pop(0)


def _foreign(kind: FileKind[Any], entry: Entry, known: Known, within: frozenset[str] | None) -> Iterator[BadCell]:
    foreign = set() if within is None else kind.touched(entry, known) - within
    if within is not None and foreign:
        whose = ", ".join(f"tỉnh {code}" for code in sorted(filter(None, foreign))) or "tất cả các tỉnh"
        told = f"dòng này thuộc {whose}, ngoài phạm vi được sửa: {', '.join(sorted(within))}; bỏ dòng này khỏi tệp"
        yield BadCell(kind.key[0], told)


def _change(kind: FileKind[Any], row: NumberedRow, entry: Entry, known: Known) -> Change | None:
    key = " ".join(filter(None, (row.cells[name] for name in kind.key)))
    change = Change(row.number, key, entry, kind.before(entry, known))
    return change if change.former is None or change.fields() else None


def _told(name: str, value: Any) -> str | None:
    if name == "hours":
        return week_text(value) or None
    if isinstance(value, (date, datetime)):
        return shown(value)
    return None if value is None or value == "" else str(value)
