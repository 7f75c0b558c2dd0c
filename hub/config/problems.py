"""What is wrong with settings, in words for the person who wrote them: key, where it stands, what is wrong."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

_CONFIG = "CONFIG"
Place = tuple[int | str, ...]


def explain(error: ValidationError, model: type[BaseSettings], file: Path | None, environ: Mapping[str, str]) -> str:
    """One line a problem. Values are not repeated: one of them may be a secret."""
    items = error.errors(include_url=False, include_input=False, include_context=False)
    places = [item["loc"] for item in items]
    lines = []
    for item in items:
        place = item["loc"]
        if any(other != place and other[: len(place)] == place for other in places):
            continue  # what is wrong inside it says more
        what = _what(item["type"], item["msg"], place, model)
        lines.append(f"{_key(place)} ({_source(place, model, file, environ)}): {what}")
    return "\n".join(lines)


def unknown_variables(environ: Mapping[str, str], model: type[BaseSettings]) -> list[str]:
    """Variables with our prefix that name no section: a misspelt one would otherwise be ignored in silence."""
    prefix = str(model.model_config.get("env_prefix", ""))
    known = [name.upper() for name in model.model_fields]
    problems = []
    for name in sorted(environ):
        section = name.upper().removeprefix(prefix).split("__")[0]
        if name.upper().startswith(prefix) and section not in {*known, _CONFIG}:
            problems.append(
                f"environment {name}: no such section; expected {prefix}<SECTION>__<FIELD> "
                f"with one of the sections {', '.join(known)}"
            )
    return problems


def fields_of(model: type[BaseModel]) -> dict[str, tuple[FieldInfo, type[BaseModel] | None]]:
    """Each field of a model, with the model of its section or of its list's items, where there is one."""
    return {name: (info, _inner_model(info.annotation)) for name, info in model.model_fields.items()}


def _inner_model(annotation: Any) -> type[BaseModel] | None:
    for candidate in (annotation, *get_args(annotation)):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None


def _what(kind: str, text: str, place: Place, model: type[BaseModel]) -> str:
    info, siblings = _find(place, model)
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(str(place[-1]), siblings, n=1)
        hint = f"; did you mean {near[0]}?" if near else f"; known here: {', '.join(siblings)}"
        return f"there is no such setting{hint}"
    said = text.removeprefix("Value error, ")
    if kind == "missing":
        said = "is missing"
        if len(place) == 1:
            variable = _variable(str(place[0]), model)
            return f"{said}; write [{place[0]}] into a file (a sample: ttdn-hub config sample) or set {variable}"
    return f"{said}. Expected: {info.description}" if info is not None and info.description else said


def _variable(section: str, model: type[BaseModel]) -> str:
    prefix = str(model.model_config.get("env_prefix", ""))
    _, inner = fields_of(model)[section]
    fields = list(fields_of(inner)) if inner is not None else []
    return f"{prefix}{section.upper()}__{fields[0].upper()}" if fields else f"{prefix}{section.upper()}"


def _find(place: Place, model: type[BaseModel]) -> tuple[FieldInfo | None, Sequence[str]]:
    """The field at `place`, if it exists, and the names that are known beside it."""
    here: type[BaseModel] | None = model
    info: FieldInfo | None = None
    siblings: Sequence[str] = ()
    for step in place:
        if isinstance(step, str):
            known = fields_of(here) if here is not None else {}
            siblings = list(known)
            info, here = known.get(step, (None, None))
    return info, siblings


def _key(place: Place) -> str:
    text = ""
    for step in place:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text or "settings"


def _source(place: Place, model: type[BaseSettings], file: Path | None, environ: Mapping[str, str]) -> str:
    """Where the value came from: the innermost variable that is set, else the file."""
    prefix = str(model.model_config.get("env_prefix", ""))
    given = {name.upper() for name in environ}
    words = [str(step).upper() for step in place]
    for depth in range(len(words), 0, -1):
        variable = prefix + "__".join(words[:depth])
        if variable in given:
            return f"environment {variable}"
    return str(file) if file else "no file was given"
