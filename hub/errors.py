"""What can go wrong in the hub, and what the caller does next."""

from __future__ import annotations


class HubError(Exception):
    """Stop: the text says what happened, to what, and what to do about it."""


class ConfigError(HubError):
    """Stop: a setting is missing or wrong."""


class MigrationError(HubError):
    """Stop: the database is not of a version that this hub can work with."""


class ImportRefused(HubError):
    """Nothing of the file was taken. `problems` names row, column, what is wrong and what is expected."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems
