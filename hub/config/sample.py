"""The sample configuration file, written from the models: it cannot say what the hub does not know."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from typing import Any, Final

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from hub.config.loading import ENV_CONFIG
from hub.config.problems import fields_of
from hub.config.settings import ENV_PREFIX, HubSettings

_WIDTH: Final = 110
_HEAD: Final = f"""\
# Settings of ttdn-hub; made by `ttdn-hub config sample`. Copy to /etc/ttdn-hub/hub.toml (or name it with --config or
# ${ENV_CONFIG}). What is commented out shows an example; what is not shows the default. Each setting can also come from
# the environment, which wins: {ENV_PREFIX}<SECTION>__<FIELD>, such as {ENV_PREFIX}INGEST__WRITERS=4.
# Check it with: ttdn-hub config check
"""


def sample_toml() -> str:
    """A complete file with every setting, its description and its default; it loads as it stands."""
    sections = [_section(name, model) for name, (_, model) in fields_of(HubSettings).items() if model is not None]
    return "\n".join((_HEAD, *sections))


def _section(name: str, model: type[BaseModel]) -> str:
    lines = [*_comment(model.__doc__ or ""), f"[{name}]"]
    for field, (info, inner) in fields_of(model).items():
        lines += (
            _items(f"{name}.{field}", info, inner) if inner is not None else _field(field, info, info.get_default())
        )
    return "\n".join(lines) + "\n"


def _items(key: str, info: FieldInfo, model: type[BaseModel]) -> Iterator[str]:
    """A list of tables, with the default's items. It comes last in its section, as TOML wants it."""
    yield ""
    yield from _comment(f"{info.description} {model.__doc__}")
    for item in info.get_default():
        yield f"[[{key}]]"
        for field, (inner, _) in fields_of(model).items():
            yield from _field(field, inner, getattr(item, field))
    if not info.get_default():
        yield f"# [[{key}]]"
        for field, (inner, _) in fields_of(model).items():
            value = inner.examples[0] if inner.examples else inner.get_default()
            yield from (*_comment(inner.description or ""), f"# {field} = {_toml(value)}")


def _field(name: str, info: FieldInfo, value: Any) -> Iterator[str]:
    yield from _comment(info.description or "")
    extra = info.json_schema_extra
    shown = isinstance(extra, dict) and bool(extra.get("shown"))
    if value in (None, ()) or info.default_factory is not None:
        example = info.examples[0] if info.examples else ""
        yield f"{'' if shown else '# '}{name} = {_toml(example)}"
    else:
        yield f"{name} = {_toml(value)}"


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(" ".join(text.split()), _WIDTH)]


def _toml(value: Any) -> str:
    """A string, number, boolean or list of strings of TOML; JSON writes these alike."""
    if isinstance(value, SecretStr):
        raise TypeError("a secret has no place in a sample")
    if isinstance(value, tuple):
        value = list(value)
    return json.dumps(value if isinstance(value, bool | int | float | list) else str(value), ensure_ascii=False)
