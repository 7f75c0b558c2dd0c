"""Names for new devices: the site's code in small letters, a letter for the kind, the next number. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from contract.ids import is_device_id

LETTERS: Final = {"kiosk": "k", "led": "l", "tv": "t", "loa": "a"}
"""By the registry's kind."""
RESERVED: Final = frozenset({"hub", "canary", "admin", "administrator", "root", "localhost"})
"""What access rules, certificates of the hub itself, or people take for somebody else than a device."""


def may_be_device(name: str) -> bool:
    """Whether a certificate may carry it."""
    return is_device_id(name) and name not in RESERVED


def next_device(site: str, kind: str, known: Iterable[str]) -> str:
    """The next free name at a site, as bg-20-cma-k1: one above the highest, so that none is ever given twice."""
    stem = f"{site.lower()}-{LETTERS[kind]}"
    number = re.compile(rf"{re.escape(stem)}([0-9]{{1,4}})", re.ASCII)
    taken = [int(found[1]) for name in known if (found := number.fullmatch(name))]
    return f"{stem}{max(taken, default=0) + 1}"
