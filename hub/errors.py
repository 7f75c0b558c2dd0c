"""What can go wrong in the hub, and what the caller does next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class HubError(Exception):
    """Stop: the text says what happened, to what, and what to do about it."""


class ConfigError(HubError):
    """Stop: a setting is missing or wrong."""


class MigrationError(HubError):
    """Stop: the database is not of a version that this hub can work with."""


class Problem(NamedTuple):
    """What is wrong in a file and what is expected; `row` is a line of it, `column` its heading as the file has it."""

    text: str
    row: int | None = None
    column: str | None = None

    def __str__(self) -> str:
        column = f", cột {self.column}" if self.column else ""
        return self.text if self.row is None else f"dòng {self.row}{column}: {self.text}"


class ImportRefused(HubError):
    """Nothing of the file was taken. `problems` names row, column, what is wrong and what is expected."""

    def __init__(self, problems: Sequence[str | Problem]) -> None:
        self.found = [Problem(one) if isinstance(one, str) else one for one in problems]
        self.problems = [str(one) for one in self.found]
        super().__init__("; ".join(self.problems))
