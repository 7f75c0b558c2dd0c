"""The file with passwords of readers: lines of libpq's password file, for its owner only.

`*:*:DATABASE:ROLE:PASSWORD`, so that psql takes it as it is (PGPASSFILE). Lines of others stay as they are. A password
that somebody has written into it beforehand is kept, so an operator can choose them.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from hub.errors import ConfigError

_FIELD: Final = re.compile(r"((?:\\.|[^:\\])*)(?::|$)")
_FIELDS: Final = 5
_ONLY_OWNER: Final = 0o600


class Passfile:
    """Passwords of logins to one database."""

    def __init__(self, file: Path, database: str) -> None:
        self._file, self._database = file, database

    def read(self) -> dict[str, str]:
        """Passwords by login; none where there is no file. ConfigError if others could read it, or we cannot."""
        return dict(entry for line in self._lines() if (entry := self._entry(line)) is not None)

    def write(self, passwords: Mapping[str, str]) -> None:
        """Put these in place of those of this database, whole or not at all. ConfigError if it cannot be written."""
        others = [line for line in self._lines() if self._entry(line) is None]
        ours = [
            f"*:*:{_escaped(self._database)}:{_escaped(role)}:{_escaped(passwords[role])}" for role in sorted(passwords)
        ]
        aside = self._file.with_name(f"{self._file.name}.new")
        try:
            aside.unlink(missing_ok=True)
            handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _ONLY_OWNER)
            with os.fdopen(handle, "w", encoding="utf-8") as opened:
                opened.writelines(f"{line}\n" for line in [*others, *ours])
                opened.flush()
                os.fsync(opened.fileno())
            if self._file.exists():
                before = self._file.stat()
                os.chown(aside, before.st_uid, before.st_gid)
            aside.replace(self._file)
        except OSError as error:
            raise ConfigError(
                f"{self._file}: passwords cannot be written: {error.strerror}; name another file: --password-file FILE"
            ) from None

    def _lines(self) -> list[str]:
        try:
            with self._file.open(encoding="utf-8") as opened:
                if stat.S_IMODE(os.fstat(opened.fileno()).st_mode) & ~_ONLY_OWNER:
                    raise ConfigError(f"{self._file} may be read by others than its owner; run: chmod 600 {self._file}")
                return opened.read().splitlines()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise ConfigError(f"{self._file} cannot be read: {error.strerror}") from None

    def _entry(self, line: str) -> tuple[str, str] | None:
        """Login and password of a line of ours."""
        fields = [re.sub(r"\\(.)", r"\1", match[1]) for match in _FIELD.finditer(line)][:_FIELDS]
        if len(fields) < _FIELDS or line.startswith("#") or fields[2] != self._database:
            return None
        return fields[3], fields[4]


def _escaped(text: str) -> str:
    return re.sub(r"([:\\])", r"\\\1", text)
