"""The plan: what must be shown where, in which windows, at least how often. One row of `plan.csv` each."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, get_args

from hub.catalogue import cells
from hub.compliance.plan import ALL_DAY, EVERY_DAY, UNITS, LanguageShare, PlanItem, Unit
from hub.registry.cells import CODE_VI, DAY_VI, code
from hub.registry.columns import Choice, Column
from hub.registry.form import Form
from hub.registry.rows import BadCell, Row, one_of, optional, read_table, required

TargetKind = Literal["site", "device", "group"]
TARGET_KINDS: Final[tuple[TargetKind, ...]] = get_args(TargetKind)
TARGET_CHOICES: Final = (Choice("site", "Điểm"), Choice("device", "Thiết bị"), Choice("group", "Nhóm thiết bị"))
UNIT_CHOICES: Final = (
    Choice("plays_per_hour", "Lượt mỗi giờ"),
    Choice("plays_per_day", "Lượt mỗi ngày"),
    Choice("seconds_per_day", "Giây mỗi ngày"),
)
_WEEKDAYS_VI: Final = "các thứ như T2-T6 CN (T2 là thứ hai), trống: mọi ngày"
_HOURS_VI: Final = "giờ tròn trong ngày như 7-11 14-17 (qua đêm: 0-6 22-24), trống: cả ngày"
_LANGUAGES_VI: Final = "mã ngôn ngữ và phần trăm như vi:40 zh:30"
_COLUMNS: Final = (
    Column("code", "Mã dòng kế hoạch", CODE_VI, "KH-2026-01", needed=True),
    Column("campaign", "Mã đợt tuyên truyền", "đã có trong danh sách đợt; để trống nếu không có", "DT-2026-01"),
    Column("target_kind", "Phát tại", "một loại trong danh sách", "site", needed=True, choices=TARGET_CHOICES),
    Column("target", "Mã điểm, thiết bị hoặc nhóm", "mã đã đăng ký", "BG-20-CMA", needed=True),
    Column("contents", "Mã nội dung", "một hay nhiều mã, cách nhau bằng dấu cách: phát nội dung nào cũng tính", "ND-1"),
    Column("topic", "Mã chủ đề", "thay cho mã nội dung: mọi nội dung của chủ đề đều tính"),
    Column("first_day", "Từ ngày", DAY_VI, "01/02/2026", needed=True, holds="date"),
    Column("last_day", "Đến hết ngày", DAY_VI, "28/02/2026", needed=True, holds="date"),
    Column("weekdays", "Các thứ", _WEEKDAYS_VI, "T2-T6"),
    Column("hours", "Khung giờ", _HOURS_VI, "7-11 14-17"),
    Column("unit", "Đơn vị", "một loại trong danh sách", "plays_per_hour", needed=True, choices=UNIT_CHOICES),
    Column("least", "Ít nhất", "số nguyên", "4", needed=True, holds="number"),
    Column("languages", "Tỷ lệ ngôn ngữ", f"{_LANGUAGES_VI}; để trống: ngôn ngữ nào cũng được", "vi:40 zh:30"),
    Column("shortest_play_s", "Lượt ngắn nhất (giây)", "số nguyên; để trống: chưa rõ", "30", holds="number"),
    Column("screens", "Số màn hình cùng phát", "số nguyên; để trống: 1", "1", holds="number"),
)
FORM: Final = Form(name="items", title_vi="Kế hoạch phát", columns=_COLUMNS, key=("code",))
_TARGETS: Final[dict[TargetKind, str]] = {
    "site": "danh sách điểm; nhập tệp sites hoặc points trước",
    "device": "danh sách thiết bị; nhập tệp devices trước",
    "group": "danh sách nhóm thiết bị; nhập trước bằng: ttdn-hub plan import groups",
}
_WEEKDAYS: Final = ("T2", "T3", "T4", "T5", "T6", "T7", "CN")
"""As Vietnamese name them: thứ hai is Monday. Bare numbers are refused: to people 2 is Monday, to ISO 8601 Tuesday."""
_HOURS: Final = re.compile(r"(\d{1,2})(?:h|:00|h00)?-(\d{1,2})(?:h|:00|h00)?", re.ASCII)
_SHARE: Final = re.compile(r"([A-Za-z0-9-]+)[:=](\d{1,3})%?", re.ASCII)
_MOST: Final = 100_000
_LONGEST_PLAY_S: Final = 86_400
_MOST_SCREENS: Final = 64


class Known(NamedTuple):
    """What a plan can name."""

    targets: dict[TargetKind, Collection[str]]
    campaigns: Collection[str]
    contents: Collection[str]
    topics: Collection[str]


@dataclass(frozen=True, slots=True)
class PlannedItem:
    """A line of the plan: what `item` asks for, of any of `contents` or of all of a `topic`, on a target.

    On a site or a group, each of its devices has to fulfil it.
    """

    code: str
    campaign: str | None
    target_kind: TargetKind
    target: str
    contents: tuple[str, ...]
    """Codes, any of which counts, sorted; empty where the topic says it."""
    topic: str | None
    item: PlanItem


def read_plan(data: bytes, known: Known) -> list[PlannedItem]:
    """The plan of a file; ImportRefused with every problem."""
    return read_table(data, FORM.columns, lambda row: _planned(row, known), FORM.key)


def weekdays_told(weekdays: Iterable[int]) -> str:
    """As people write them; nothing: every day."""
    chosen = frozenset(weekdays)
    return "" if chosen == EVERY_DAY else " ".join(_WEEKDAYS[day - 1] for day in sorted(chosen))


def hours_told(hours: Iterable[int]) -> str:
    """As people write them: `7-11 14-17`; nothing: all day."""
    chosen = frozenset(hours)
    begins = sorted(hour for hour in chosen if hour - 1 not in chosen)
    ends = sorted(hour + 1 for hour in chosen if hour + 1 not in chosen)
    return "" if chosen == ALL_DAY else " ".join(f"{first}-{end}" for first, end in zip(begins, ends, strict=True))


def _planned(row: Row, known: Known) -> PlannedItem:
    kind = _target_kind(row)
    contents, topic = _what(row, known)
    return PlannedItem(
        code=code(row),
        campaign=_campaign(row, known),
        target_kind=kind,
        target=_target(row, kind, known),
        contents=contents,
        topic=topic,
        item=_item(row),
    )


def _campaign(row: Row, known: Known) -> str | None:
    campaign = optional(row, "campaign")
    if campaign is not None and campaign not in known.campaigns:
        raise BadCell("campaign", f"{campaign!r} chưa có trong danh sách đợt tuyên truyền; nhập tệp campaigns trước")
    return campaign


def _target_kind(row: Row) -> TargetKind:
    text = one_of(row, "target_kind", TARGET_CHOICES)
    return next(kind for kind in TARGET_KINDS if kind == text)


def _target(row: Row, kind: TargetKind, known: Known) -> str:
    target = required(row, "target")
    if target not in known.targets[kind]:
        raise BadCell("target", f"{target!r} chưa có trong {_TARGETS[kind]}, hoặc sửa mã này")
    return target


def _what(row: Row, known: Known) -> tuple[tuple[str, ...], str | None]:
    """Contents or a topic: one of the two."""
    contents, topic = cells.words(row, "contents"), optional(row, "topic")
    if bool(contents) == bool(topic):
        told = "cần đúng một trong hai cột: {} (một hay nhiều mã nội dung) hoặc {}"
        raise BadCell("contents", told, "contents", "topic")
    strangers = [code for code in contents if code not in known.contents]
    if strangers:
        raise BadCell("contents", f"{strangers[0]!r} chưa có trong danh mục nội dung; nhập tệp contents trước")
    if topic is not None and topic not in known.topics:
        raise BadCell("topic", f"{topic!r} không hợp lệ; cần một trong: {', '.join(sorted(known.topics))}")
    return tuple(sorted(contents)), topic


def _item(row: Row) -> PlanItem:
    required(row, "last_day")
    first, last = cells.span_of_days(row, "first_day", "last_day")
    return PlanItem(
        first_day=first,
        last_day=last or first,
        unit=_unit(row),
        least=cells.number(required(row, "least"), "least", 1, _MOST),
        weekdays=_weekdays(row),
        hours=_hours(row),
        languages=_languages(row),
        shortest_play_ms=_shortest_ms(row),
        screens=cells.number(row["screens"] or "1", "screens", 1, _MOST_SCREENS),
    )


def _shortest_ms(row: Row) -> int | None:
    text = optional(row, "shortest_play_s")
    return None if text is None else cells.number(text, "shortest_play_s", 1, _LONGEST_PLAY_S) * 1000


def _unit(row: Row) -> Unit:
    text = one_of(row, "unit", UNIT_CHOICES)
    return next(unit for unit in UNITS if unit == text)


def _weekdays(row: Row) -> frozenset[int]:
    """`T2-T6 CN`; an empty cell is every day."""
    parts = cells.words(row, "weekdays")
    return frozenset(day for part in parts for day in _weekdays_of(part)) if parts else EVERY_DAY


def _weekdays_of(part: str) -> range:
    names = part.upper().split("-")
    numbers = [_WEEKDAYS.index(name) + 1 for name in names if name in _WEEKDAYS]
    if len(numbers) != len(names) or len(names) > 2 or numbers[0] > numbers[-1]:
        raise BadCell("weekdays", f"{part!r} không hợp lệ; cần {_WEEKDAYS_VI}")
    return range(numbers[0], numbers[-1] + 1)


def _hours(row: Row) -> frozenset[int]:
    """`7-11 14-17`, which ends at 11:00 and 17:00; an empty cell is the whole day."""
    parts = cells.words(row, "hours")
    return frozenset(hour for part in parts for hour in _hours_of(part)) if parts else ALL_DAY


def _hours_of(part: str) -> range:
    match = _HOURS.fullmatch(part.lower())
    begins, ends = (int(match[1]), int(match[2])) if match else (0, 0)
    if not begins < ends <= 24:
        raise BadCell("hours", f"{part!r} không hợp lệ; cần {_HOURS_VI}")
    return range(begins, ends)


def _languages(row: Row) -> tuple[LanguageShare, ...]:
    """`vi:40 zh:30`; what is left may be in any language."""
    shares = list(_shares(cells.words(row, "languages")))
    together = sum(share.percent for share in shares)
    if together > 100 or len({share.language for share in shares}) < len(shares):
        raise BadCell("languages", f"tổng {together} %; cần mỗi ngôn ngữ ghi một lần, tổng tối đa 100 %")
    return tuple(sorted(shares))


def _shares(parts: Iterable[str]) -> Iterator[LanguageShare]:
    for part in parts:
        match = _SHARE.fullmatch(part)
        if match is None or not 1 <= int(match[2]) <= 100:
            raise BadCell("languages", f"{part!r} không hợp lệ; cần {_LANGUAGES_VI}")
        yield LanguageShare(cells.language(match[1], "languages"), int(match[2]))
