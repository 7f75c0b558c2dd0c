"""What a guide asks its reader to type, and what it says will be seen. Pure.

```sh                what is typed, a command a line; lines that begin with # are remarks
```text              right below: what is then seen of the last one
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_FENCE: Final = re.compile(r"^```(\w*)\n(.*?)^```\n", re.DOTALL | re.MULTILINE)


class Step(NamedTuple):
    """Commands that are typed one after the other, and what the last of them says; None where the guide is silent."""

    commands: tuple[str, ...]
    shown: str | None
    begin: int = 0
    """Where `shown` begins in the text, for who writes it anew."""


def steps(text: str) -> list[Step]:
    """All of a guide, in its order."""
    found: list[Step] = []
    end = -1
    for fence in _FENCE.finditer(text):
        kind, body = fence.groups()
        if kind == "sh":
            lines = (line.strip() for line in body.splitlines())
            found.append(Step(tuple(line for line in lines if line and not line.startswith("#")), None))
        elif kind == "text" and found and found[-1].shown is None and not text[end : fence.start()].strip():
            found[-1] = found[-1]._replace(shown=body, begin=fence.start(2))
        end = fence.end()
    return found


def with_shown(text: str, seen: list[str | None]) -> str:
    """The guide with what was really seen in place of what it showed, step by step; None leaves it."""
    pairs = zip(steps(text), seen, strict=True)
    for step, now in reversed([pair for pair in pairs if pair[1] is not None]):
        if step.shown is not None and now is not None:
            text = text[: step.begin] + now + text[step.begin + len(step.shown) :]
    return text
