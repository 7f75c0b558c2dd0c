"""Files of subjects, contents, plan and groups: what they say, and what is told of one that is wrong."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import openpyxl
import pytest

from hub.catalogue import contents
from hub.catalogue.contents import (
    KIND_CHOICES,
    KINDS,
    PRIORITIES,
    PRIORITY_CHOICES,
    cells_of,
    differences,
    read_contents,
)
from hub.catalogue.groups import Group, read_groups
from hub.catalogue.plan_items import (
    TARGET_CHOICES,
    TARGET_KINDS,
    UNIT_CHOICES,
    Known,
    PlannedItem,
    hours_told,
    read_plan,
    weekdays_told,
)
from hub.catalogue.topics import Topic, holding, read_topics, shipped
from hub.compliance.plan import UNITS, LanguageShare, PlanItem
from hub.errors import ImportRefused
from simulator.catalogue import SUBJECTS
from tests.hub.catalogue.making import A, content, contents_file, groups_file, plan_file

TOPICS = {"quan_ly_ttdn", "hinh_anh_van_hoa"}
KNOWN = Known(
    {"site": {"BG-20-CMA"}, "device": {"k1"}, "group": {"NHOM-1"}}, {"DT-1"}, {"ND-1", "ND-2"}, {"hinh_anh_van_hoa"}
)


def problems(read: Callable[[], object]) -> list[str]:
    with pytest.raises(ImportRefused) as caught:
        read()
    return caught.value.problems


# -- subjects ---------------------------------------------------------------------------------------------------------


def test_the_shipped_vocabulary_is_that_of_the_domain() -> None:
    read = read_topics(shipped())
    assert {topic.code for topic in read} == set(SUBJECTS)
    assert {topic.section for topic in read if topic.letter} == {"1", "2", "2, 5", "3", "4", "5"}
    assert [topic.code for topic in read if topic.letter is None] == ["thong_tin_cua_khau"]


def test_a_later_letter_holds_from_its_day_on() -> None:
    old = Topic("a", "cũ", "5406", "1", date(2022, 1, 1), None)
    new = Topic("a", "mới", "77", "3", date(2026, 1, 1), date(2026, 12, 31))
    for day, expected in [
        (date(2021, 12, 31), None),
        (date(2025, 12, 31), old),
        (date(2026, 1, 1), new),
        (date(2026, 12, 31), new),
        (date(2027, 1, 1), old),
    ]:
        assert holding([new, old], day).get("a") == expected


# -- contents ---------------------------------------------------------------------------------------------------------


def read(**cells: str) -> contents.Content:
    (one,) = read_contents(contents_file(cells), TOPICS, {})
    return one


def test_what_a_row_says() -> None:
    assert read() == content()
    assert read(
        code="ND-2",
        title_foreign="Welcome",
        title_language="en",
        language="zxx",
        kind="Trang web",
        priority="Khẩn cấp",
        approval_no="",
        approval_body="",
        approval_date="",
        valid_from="01/02/2025",
        valid_until="2025-02-28",
        refs="phim 1, bản 2;cuối.mp4 | ./a\\b.mp4|HTTPS://Vietnam.VN:443/bài?b=1&a=2#x",
        source="https://vietnam.vn/bai",
        media_sha256=A.upper(),
        frame_hash="00FF00FF00FF00FF",
    ) == replace(
        content(),
        code="ND-2",
        title_foreign="Welcome",
        title_language="en",
        language="zxx",
        kind="page",
        priority="khan_cap",
        approval=None,
        valid_from=date(2025, 2, 1),
        valid_until=date(2025, 2, 28),
        refs=frozenset({"phim 1, bản 2;cuối.mp4", "a/b.mp4", "https://vietnam.vn/b%C3%A0i?a=2&b=1"}),
        source="https://vietnam.vn/bai",
        media_sha256=A,
        frame_hash=0x00FF00FF00FF00FF,
    )


@pytest.mark.parametrize(
    "said",
    [
        content(),
        content(approval=None, title_foreign="x", title_language="en", valid_until=date(2025, 3, 1), source="y"),
        content(refs=frozenset(), media_sha256=A, frame_hash=5, kind="page", priority="khan_cap"),
        content(refs=frozenset({"b c.mp4", "https://vietnam.vn/b%C3%A0i"})),
    ],
    ids=range(4),
)
def test_a_content_is_told_as_a_file_says_it(said: contents.Content) -> None:
    assert read_contents(contents_file(cells_of(said)), TOPICS, {}) == [said]
    assert differences(said, said) == {}


def test_differences() -> None:
    other = content(approval=None, valid_until=date(2025, 3, 1), refs=frozenset({"b.mp4", "a.mp4"}))
    assert differences(content(), other) == {
        "approval_no": ("12/QĐ-SVHTTDL", ""),
        "approval_body": ("Sở VHTTDL Lạng Sơn", ""),
        "approval_date": ("05/01/2025", ""),
        "valid_until": ("", "01/03/2025"),
        "refs": ("chao-mung.mp4", "a.mp4 | b.mp4"),
    }


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ({"code": "nd 1"}, "cột code: 'nd 1' không hợp lệ; cần chữ in hoa"),
        ({"code": "ND-9"}, "cột code: 'ND-9' đã bị xóa khỏi danh mục ngày 02/03/2026; bỏ dòng này"),
        ({"title_vi": ""}, "cột title_vi: để trống"),
        ({"title_foreign": "x"}, "cột title_language: để trống; title_foreign và title_language cần có cả hai"),
        ({"title_language": "en"}, "cột title_foreign: để trống"),
        ({"language": "Tiếng Việt"}, "cột language: 'Tiếng Việt' không hợp lệ; cần mã ngôn ngữ như vi"),
        ({"topic": "du_lich"}, "cột topic: 'du_lich' chưa có trong danh sách chủ đề; cần một trong: hinh_anh_van_hoa"),
        ({"kind": "phim"}, "cột kind: 'phim' không hợp lệ; cần một trong: video (Phim, video)"),
        ({"priority": "gap"}, "cột priority: 'gap' không hợp lệ"),
        ({"approval_no": ""}, "cột approval_no: để trống; approval_no, approval_body, approval_date cần có cả ba"),
        ({"approval_date": "05/13/2025"}, "cột approval_date: '05/13/2025' không phải ngày"),
        ({"valid_from": ""}, "cột valid_from: để trống"),
        ({"valid_until": "31/12/2024"}, "cột valid_until: 31/12/2024 trước 01/01/2025; cần cùng ngày hoặc sau"),
        ({"refs": ""}, "cột refs: để trống, mà media_sha256 cũng trống; cần ít nhất một"),
        ({"refs": "https://"}, "cột refs: 'https://' không phải URL hợp lệ"),
        ({"media_sha256": "abc"}, "cột media_sha256: 'abc'… không hợp lệ; cần 64 chữ số"),
        ({"frame_hash": "xyz"}, "cột frame_hash: 'xyz' không hợp lệ; cần 16 chữ số"),
    ],
    ids=str,
)
def test_what_is_wrong_with_a_content(cells: dict[str, str], told: str) -> None:
    (problem,) = problems(lambda: read_contents(contents_file(cells), TOPICS, {"ND-9": date(2026, 3, 2)}))
    assert problem.startswith(f"dòng 2, {told}")


def test_every_problem_of_a_file_is_told() -> None:
    file = contents_file({"kind": "x"}, {"code": "ND-2"}, {"code": "ND-2"}, {"code": "ND-3", "topic": "y"})
    assert [problem.split(",")[0] for problem in problems(lambda: read_contents(file, TOPICS, {}))] == [
        "dòng 2",
        "dòng 4",
        "dòng 5",
    ]


def test_a_workbook_with_headings_and_labels_in_vietnamese() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append([column.heading for column in contents.FORM.columns])
    cells = {"code": "ND-1", "title_vi": "Chào mừng quý khách", "language": "vi", "topic": "quan_ly_ttdn"}
    cells |= {"kind": "Phim, video", "refs": "chao-mung.mp4"}
    days = {"approval_date": date(2025, 1, 5), "valid_from": date(2025, 1, 1)}
    number = {"approval_no": "12/QĐ-SVHTTDL", "approval_body": "Sở VHTTDL Lạng Sơn"}
    sheet.append([(cells | days | number).get(column.name) for column in contents.FORM.columns])
    data = io.BytesIO()
    book.save(data)
    assert read_contents(data.getvalue(), TOPICS, {}) == [content()]


def test_every_choice_has_a_label() -> None:
    for values, choices in [
        (KINDS, KIND_CHOICES),
        (PRIORITIES, PRIORITY_CHOICES),
        (TARGET_KINDS, TARGET_CHOICES),
        (UNITS, UNIT_CHOICES),
    ]:
        assert tuple(choice.code for choice in choices) == values


# -- the plan ---------------------------------------------------------------------------------------------------------


def planned(**cells: str) -> PlannedItem:
    (one,) = read_plan(plan_file(cells), KNOWN)
    return one


def test_what_a_line_says() -> None:
    item = PlanItem(date(2025, 6, 1), date(2025, 6, 30), "plays_per_hour", 4)
    assert planned() == PlannedItem("KH-1", None, "site", "BG-20-CMA", ("ND-1",), None, item)
    assert planned(
        campaign="DT-1",
        target_kind="Nhóm thiết bị",
        target="NHOM-1",
        contents="",
        topic="hinh_anh_van_hoa",
        weekdays="t2-T6, CN",
        hours="7-11; 14:00-17h",
        unit="Giây mỗi ngày",
        least="600",
        languages="zh:30 vi=40%",
        shortest_play_s="30",
        screens="2",
    ) == PlannedItem(
        "KH-1",
        "DT-1",
        "group",
        "NHOM-1",
        (),
        "hinh_anh_van_hoa",
        PlanItem(
            date(2025, 6, 1),
            date(2025, 6, 30),
            "seconds_per_day",
            600,
            weekdays=frozenset({1, 2, 3, 4, 5, 7}),
            hours=frozenset({7, 8, 9, 10, 14, 15, 16}),
            languages=(LanguageShare("vi", 40), LanguageShare("zh", 30)),
            shortest_play_ms=30_000,
            screens=2,
        ),
    )
    assert planned(contents="ND-2 ND-1").contents == ("ND-1", "ND-2")


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ({"campaign": "DT-9"}, "cột campaign: 'DT-9' chưa có trong danh sách đợt"),
        ({"target": "BG-99"}, "cột target: 'BG-99' chưa có trong danh sách điểm; nhập tệp sites"),
        ({"target_kind": "device"}, "cột target: 'BG-20-CMA' chưa có trong danh sách thiết bị"),
        ({"target_kind": "province"}, "cột target_kind: 'province' không hợp lệ"),
        ({"contents": ""}, "cột contents: cần đúng một trong hai cột"),
        ({"topic": "hinh_anh_van_hoa"}, "cột contents: cần đúng một trong hai cột"),
        ({"contents": "ND-1 ND-7"}, "cột contents: 'ND-7' chưa có trong danh mục"),
        ({"contents": "ND-1 ND-1"}, "cột contents: 'ND-1' ghi hai lần"),
        ({"contents": "", "topic": "x"}, "cột topic: 'x' không hợp lệ; cần một trong: hinh_anh_van_hoa"),
        ({"last_day": "31/05/2025"}, "cột last_day: 31/05/2025 trước 01/06/2025"),
        ({"last_day": ""}, "cột last_day: để trống"),
        ({"weekdays": "2-6"}, "cột weekdays: '2-6' không hợp lệ; cần các thứ như T2-T6 CN (T2 là thứ hai)"),
        ({"weekdays": "T6-T2"}, "cột weekdays: 'T6-T2' không hợp lệ"),
        ({"weekdays": "T2-T3-T4"}, "cột weekdays: 'T2-T3-T4' không hợp lệ"),
        ({"hours": "7:30-11"}, "cột hours: '7:30-11' không hợp lệ; cần giờ tròn"),
        ({"hours": "22-6"}, "cột hours: '22-6' không hợp lệ"),
        ({"hours": "8-25"}, "cột hours: '8-25' không hợp lệ"),
        ({"unit": "x"}, "cột unit: 'x' không hợp lệ; cần một trong: plays_per_hour (Lượt mỗi giờ)"),
        ({"least": "0"}, "cột least: '0' không hợp lệ; cần số nguyên từ 1"),
        ({"least": "4.5"}, "cột least: '4.5' không hợp lệ"),
        ({"languages": "vi"}, "cột languages: 'vi' không hợp lệ; cần mã ngôn ngữ và phần trăm"),
        ({"languages": "vi:60 zh:50"}, "cột languages: tổng 110 %"),
        ({"languages": "vi:10 vi:20"}, "cột languages: tổng 30 %; cần mỗi ngôn ngữ ghi một lần"),
        ({"screens": "65"}, "cột screens: '65' không hợp lệ"),
    ],
    ids=str,
)
def test_what_is_wrong_with_a_line(cells: dict[str, str], told: str) -> None:
    (problem,) = problems(lambda: read_plan(plan_file(cells), KNOWN))
    assert problem.startswith(f"dòng 2, {told}")


@pytest.mark.parametrize("text", ["", "7-11 14-17", "0-24", "0-1 23-24"])
def test_hours_are_told_as_they_are_written(text: str) -> None:
    assert hours_told(planned(hours=text).item.hours) == text.replace("0-24", "")


@pytest.mark.parametrize(("text", "told"), [("", ""), ("T2-T4 CN", "T2 T3 T4 CN"), ("T2-CN", "")])
def test_weekdays_are_told_as_they_are_written(text: str, told: str) -> None:
    assert weekdays_told(planned(weekdays=text).item.weekdays) == told


def test_groups() -> None:
    file = groups_file({"code": "N-1", "name_vi": "Tủ", "devices": "k2, k1"})
    assert read_groups(file, {"k1", "k2"}) == [Group("N-1", "Tủ", ("k1", "k2"))]
    (problem,) = problems(lambda: read_groups(file, {"k1"}))
    assert problem.startswith("dòng 2, cột devices: 'k2' chưa đăng ký")
    (problem,) = problems(lambda: read_groups(groups_file({"code": "N-1", "name_vi": "Tủ"}), {"k1"}))
    assert problem.startswith("dòng 2, cột devices: để trống")
