"""`[database]`: PostgreSQL."""

from __future__ import annotations

from pathlib import Path
from typing import Self

import psycopg
from psycopg.conninfo import conninfo_to_dict
from pydantic import Field, SecretStr, field_validator, model_validator

from hub.config.secret_file import first_line
from hub.config.section import Section
from hub.errors import ConfigError


class DatabaseSettings(Section):
    """PostgreSQL 15 or newer, with or without TimescaleDB."""

    dsn: SecretStr | None = Field(
        default=None,
        description="Connection string; this or dsn_file. Prefer a Unix socket (no password) or dsn_file.",
        examples=["postgresql:///ttdn"],
        json_schema_extra={"shown": True},
    )
    dsn_file: Path | None = Field(
        default=None,
        description="File whose first line is the connection string, readable by the hub's user only.",
        examples=["/etc/ttdn-hub/dsn"],
    )
    pool_connections: int = Field(
        default=4, ge=1, le=100, description="Most connections that the API holds; the ingest has its own."
    )

    @field_validator("dsn")
    @classmethod
    def _is_a_connection_string(cls, dsn: SecretStr | None) -> SecretStr | None:
        if dsn is not None:
            _refuse_bad_dsn(dsn.get_secret_value(), "this text")
        return dsn

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.dsn is None) == (self.dsn_file is None):
            raise ValueError("exactly one of dsn and dsn_file is needed, such as dsn = 'postgresql:///ttdn'")
        return self

    def conninfo(self) -> str:
        """The connection string with its password: for a connection, never for a log. ConfigError if unreadable."""
        if self.dsn is not None:
            return self.dsn.get_secret_value()
        text = first_line("database.dsn_file", self.dsn_file or Path())
        try:
            _refuse_bad_dsn(text, f"the first line of {self.dsn_file}")
        except ValueError as error:
            raise ConfigError(f"database.dsn_file: {error}") from None
        return text


def _refuse_bad_dsn(text: str, what: str) -> None:
    # The driver's own message is not passed on: it may quote a part of the password.
    try:
        parts = conninfo_to_dict(text)
    except psycopg.ProgrammingError:
        parts = {}
    if not parts:
        raise ValueError(f"{what} is no connection string; expected postgresql://user@host:port/database")
