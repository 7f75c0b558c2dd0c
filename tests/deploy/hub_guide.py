"""The commands of the guide for the hub's machine, by the heading below which they stand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

_DOCS: Final = Path(__file__).resolve().parents[2] / "docs"
GUIDE: Final = _DOCS / "cai-dat-hub.md"
TWIN: Final = _DOCS / "install-hub.md"


def blocks(guide: Path) -> dict[str, list[str]]:
    """Lines of code below each heading of the second level, in their order."""
    found: dict[str, list[str]] = {}
    for part in re.split(r"^## ", guide.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        title, _, text = part.partition("\n")
        lines = [
            line
            for block in re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
            for line in block.splitlines()
        ]
        if lines:
            found[title.strip()] = lines
    return found
