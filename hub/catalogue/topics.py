"""Subjects of contents: one row of `topics.csv` each. A letter of the ministry is a file of its own."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from importlib.resources import files
from typing import Final, NamedTuple

from hub.catalogue.cells import TOPIC_VI, span_of_days, topic_code
from hub.registry.cells import DAY_VI
from hub.registry.columns import Column
from hub.registry.form import Form
from hub.registry.rows import Row, optional, read_table, required

_COLUMNS: Final = (
    Column("code", "Mã chủ đề", TOPIC_VI, "hinh_anh_van_hoa", needed=True),
    Column("label_vi", "Tên chủ đề", "tên đầy đủ, có dấu", "Hình ảnh, văn hóa các dân tộc Việt Nam", needed=True),
    Column("letter", "Số, ký hiệu văn bản hướng dẫn", "để trống: chủ đề riêng của đơn vị", "5406/BTTTT-TTĐN"),
    Column("section", "Mục trong văn bản", "số mục, cách nhau dấu phẩy", "2, 5"),
    Column("valid_from", "Có hiệu lực từ ngày", DAY_VI, "01/01/2022", needed=True, holds="date"),
    Column("valid_until", "Đến hết ngày", f"{DAY_VI}; để trống: chưa có hạn", holds="date"),
)
_SHIPPED: Final = files("hub.catalogue") / "data" / "topics.csv"
FORM: Final = Form(
    name="topics",
    title_vi="Chủ đề",
    columns=_COLUMNS,
    key=("code", "valid_from"),
    shipped=_SHIPPED,
)


class Topic(NamedTuple):
    """A subject as one letter names it; `letter` is None for our own."""

    code: str
    label_vi: str
    letter: str | None
    section: str | None
    valid_from: date
    valid_until: date | None
    """The last day; None: until further notice."""


def shipped() -> bytes:
    """The file that comes with the hub: the subjects of letter 5406/BTTTT-TTĐN, and ours."""
    return _SHIPPED.read_bytes()


def read_topics(data: bytes) -> list[Topic]:
    """The subjects of a file; ImportRefused with every problem."""
    return read_table(data, FORM.columns, _topic, FORM.key)


def holding(topics: Iterable[Topic], on: date) -> dict[str, Topic]:
    """By code what each subject is on a day: of rows that are valid the one that began last."""
    valid = [one for one in topics if one.valid_from <= on and (one.valid_until is None or on <= one.valid_until)]
    return {one.code: one for one in sorted(valid, key=lambda one: one.valid_from)}


def _topic(row: Row) -> Topic:
    first, last = span_of_days(row, "valid_from", "valid_until")
    label, letter, section = required(row, "label_vi"), optional(row, "letter"), optional(row, "section")
    return Topic(topic_code(row, "code"), label, letter, section, first, last)
