"""Cells that the registry's files do not have: subjects, language tags, lists. `BadCell` says what is expected."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from hub.registry.cells import day, matching, needed_day, shown
from hub.registry.rows import BadCell, Row, optional

LONGEST_LIST: Final = 8_000
"""Characters of a cell that holds a list."""
TOPIC_VI: Final = "chữ thường không dấu, số, '_', tối đa 48 ký tự, như hinh_anh_van_hoa"
LANGUAGE_VI: Final = "mã ngôn ngữ như vi, en, zh, lo, km; zxx: không có lời, mul: nhiều ngôn ngữ"
_TOPIC: Final = re.compile(r"[a-z][a-z0-9_]{0,47}")
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,2}")
_BETWEEN: Final = re.compile(r"[\s,;]+")


def span_of_days(row: Row, first: str, last: str) -> tuple[date, date | None]:
    """A first day that must be there, and the last one, included, or None: until further notice."""
    begin, end = needed_day(row, first), day(row, last)
    if end is not None and end < begin:
        raise BadCell(last, f"{shown(end)} trước {shown(begin)}; cần cùng ngày hoặc sau đó")
    return begin, end


def topic_code(row: Row, column: str) -> str:
    """The code of a subject."""
    return matching(row, column, _TOPIC, TOPIC_VI)


def language(text: str, column: str) -> str:
    """A BCP 47 tag, if `text` is one."""
    if not _LANGUAGE.fullmatch(text):
        raise BadCell(column, f"{text!r} không hợp lệ; cần {LANGUAGE_VI}")
    return text


def words(row: Row, column: str) -> list[str]:
    """A list of words, separated by spaces, commas or semicolons; BadCell for one that is there twice."""
    text = optional(row, column, LONGEST_LIST)
    found = [word for word in _BETWEEN.split(text or "") if word]
    twice = sorted({word for word in found if found.count(word) > 1})
    if twice:
        raise BadCell(column, f"{twice[0]!r} ghi hai lần; mỗi giá trị chỉ ghi một lần")
    return found


def number(text: str, column: str, least: int, most: int) -> int:
    """A number of digits, within bounds."""
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII) or not least <= int(text) <= most:
        raise BadCell(column, f"{text!r} không hợp lệ; cần số nguyên từ {least} đến {most}, không có dấu chấm hay chữ")
    return int(text)
