"""Progress on standard error, the result on standard output."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from statistics import quantiles
from typing import Any


def percentiles(values: Sequence[float]) -> list[float]:
    """The 1st to the 99th; [98] is p99."""
    return quantiles(values, n=100)


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
