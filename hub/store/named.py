"""SQL lives in `queries/*.sql`: statements under `-- name: NAME - purpose`, parameters as `%(name)s`."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

_HEAD = re.compile(r"^-- name: (?P<name>\w+) - .+$", re.MULTILINE)


@cache
def named(file: str) -> dict[str, bytes]:
    """Every statement of one file by its name."""
    text = (files("hub.store") / "queries" / f"{file}.sql").read_text(encoding="utf-8")
    heads = list(_HEAD.finditer(text))
    ends = [head.start() for head in heads[1:]] + [len(text)]
    return {head["name"]: text[head.end() : end].strip().encode() for head, end in zip(heads, ends, strict=True)}
