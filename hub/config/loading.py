"""From file and environment to settings, or to words that say what is wrong."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError
from pydantic_settings import SettingsError

from hub.config.problems import explain, unknown_variables
from hub.config.settings import ENV_PREFIX, HubSettings
from hub.errors import ConfigError

ENV_CONFIG: Final = "TTDN_HUB_CONFIG"
DEFAULT_FILE: Final = Path("/etc/ttdn-hub/hub.toml")
_LISTS: Final = (
    "a list is written as JSON, such as "
    f"""{ENV_PREFIX}MQTT__BROKERS='[{{"host": "127.0.0.1", "port": 1883, "tls": false}}]'"""
)


def load_settings(file: Path | None = None) -> HubSettings:
    """Settings from `file`, else from $TTDN_HUB_CONFIG, else from the usual file if it exists; then the environment.

    ConfigError names every key that is wrong, where it stands, what is wrong and what is expected.
    """
    source = config_file(file, os.environ)
    given = _read_toml(source) if source else {}
    problems = unknown_variables(os.environ, HubSettings)
    if problems:
        raise ConfigError("\n".join(problems))
    try:
        return HubSettings(**given)
    except ValidationError as error:
        raise ConfigError(explain(error, HubSettings, source, os.environ)) from None
    except SettingsError as error:
        raise ConfigError(f"environment: {error}; {_LISTS}") from None


def config_file(given: Path | None, environ: Mapping[str, str]) -> Path | None:
    """The file that settings are read from; None where nobody named one and the usual one is not there."""
    named = given or (Path(environ[ENV_CONFIG]) if environ.get(ENV_CONFIG) else None)
    if named is not None:
        return named
    try:
        return DEFAULT_FILE if DEFAULT_FILE.exists() else None
    except PermissionError:
        raise ConfigError(
            f"{DEFAULT_FILE}: người dùng này không được đọc; thêm sudo / is not for this user to read; use sudo"
        ) from None


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}. A sample: ttdn-hub config sample") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: not UTF-8 at byte {error.start}; save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file}: not TOML: {error}. Texts stand in quotes: key = 'text'") from None
