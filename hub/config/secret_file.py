"""Secrets in files of their own, read whenever they are needed."""

from __future__ import annotations

from pathlib import Path

from hub.errors import ConfigError


def first_line(key: str, file: Path) -> str:
    """The secret in `file`, which the setting `key` names. ConfigError if it cannot be read or is empty."""
    try:
        line = next(iter(file.read_text(encoding="utf-8").splitlines()), "").strip()
    except OSError as error:
        raise ConfigError(f"{key}: {file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{key}: {file} is not a text file in UTF-8") from None
    if not line:
        raise ConfigError(f"{key}: the first line of {file} is empty; the secret is expected there")
    return line
