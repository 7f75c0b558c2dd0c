"""Progress on standard error, the result on standard output."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any


def say(text: str) -> None:
    """One line of progress."""
    print(text, file=sys.stderr, flush=True)


def show(result: Mapping[str, Any], *, as_json: bool) -> None:
    """Everything that was measured."""
    if as_json:
        print(json.dumps(result, indent=2))
        return
    width = max(map(len, result))
    for name, value in result.items():
        print(f"{name:{width}}  {value}")
