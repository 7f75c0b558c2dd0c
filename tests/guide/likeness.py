"""Whether a guide shows what was seen, but for what is another each time: times, numbers, codes, ports. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Final

from edge_agent.words import LANGUAGES, en, vi

_QR: Final = re.compile(r"^[\s█▀▄]+$")
_QR_HERE: Final = "  [ QR ]"
_CODE: Final = re.compile(r"\b(?:[0-9A-Z]{5}-){4,}[0-9A-Z]{1,5}\b")
_NUMBER: Final = re.compile(r"\d+")
_COUNTS: Final = re.compile(r"(?:hours|minutes|seconds|days|giây|phút|giờ|ngày)\b")
_LINE: Final = re.compile(r"^\[(?:[^\]]+)\] +([^:]+): (.*)$")
_MACHINE: Final = (
    "modem",
    "network",
    "dns",
    "clock",
    "storage",
    "power",
    "temperature",
    "screen",
    "autostart",
    "restarts",
)
"""Checks that find on every machine something else, or nothing."""


def printable(said: str) -> str:
    """For a page: a code in blocks takes half of it, and no printer draws it well."""
    lines = [line.rstrip() for line in said.splitlines()]
    first = next((number for number, line in enumerate(lines) if line and _QR.match(line)), -1)
    kept = [_QR_HERE if number == first else line for number, line in enumerate(lines)]
    return "".join(f"{line}\n" for line in kept if line == _QR_HERE or not (line and _QR.match(line)))


def alike(shown: str, seen: str) -> bool:
    """Line by line; of a doctor's lines about the machine itself it is enough that the doctor could say them."""
    return strange(shown) == [] and plain(shown) == plain(seen)


def plain(text: str | None) -> list[str]:
    """What has to be the same each time. Codes in blocks go, and what is seen of this machine alone."""
    lines = [line.rstrip() for line in (text or "").splitlines()]
    kept: list[str] = []
    passing = False
    for line in lines:
        passing = _of_machine(line) or (passing and line.startswith("    ") and "->" in line)
        if line and not passing and line != _QR_HERE and not _QR.match(line) and not _is_sum(line):
            kept.append(_COUNTS.sub("t", _NUMBER.sub("0", _CODE.sub("CODE", line))))
    return kept


def strange(text: str) -> list[str]:
    """Doctor's lines in `text` that no doctor says."""
    found = [_LINE.match(line) for line in text.splitlines()]
    return [line[0] for line in found if line and line[1] in _titles() and not _could_be_said(line[2])]


def _of_machine(line: str) -> bool:
    match = _LINE.match(line)
    return match is not None and match[1] in _titles() and _titles()[match[1]] in _MACHINE


@cache
def _sums() -> tuple[re.Pattern[str], ...]:
    texts = [table.PLAIN[key] for table in (vi, en) for key in ("doctor.good", "doctor.summary")]
    return tuple(re.compile(re.sub(r"\\\{\w+\\\}", ".+", re.escape(text))) for text in texts)


def _is_sum(line: str) -> bool:
    """The doctor's last line counts what is seen of the machine, too."""
    return any(pattern.fullmatch(line) for pattern in _sums())


@cache
def _titles() -> Mapping[str, str]:
    return {title: check for table in (vi, en) for check, title in table.TITLES.items()}


@cache
def _said() -> tuple[re.Pattern[str], ...]:
    assert LANGUAGES == ("vi", "en")
    texts = [detail for table in (vi, en) for detail, _ in table.FOUND.values()]
    return tuple(re.compile(re.sub(r"\\\{\w+\\\}", ".+", re.escape(text))) for text in texts if text != "{reason}")


def _could_be_said(detail: str) -> bool:
    return any(pattern.fullmatch(detail) for pattern in _said())
