"""What is told of a file calls its columns as the file does: by headings of a template, or by the names of commands."""

from __future__ import annotations

import pytest

from hub.catalogue import contents as content_file
from hub.catalogue import plan_items
from hub.catalogue.contents import read_contents
from hub.catalogue.plan_items import Known, read_plan
from hub.errors import ImportRefused
from hub.registry import points, template
from hub.registry.form import Form
from tests.hub.catalogue.making import contents_file, plan_file
from tests.hub.registry.making import example, problems

LABELS = [column.label_vi for column in points.COLUMNS]
ROW = list(example("points").values())


def file(headings: list[str], row: list[str] = ROW) -> str:
    return "\n".join(";".join(cells) for cells in (headings, row)) + "\n"


def in_vietnamese(data: bytes, form: Form) -> bytes:
    """The same file with the headings of the template."""
    return template.csv_file(form).splitlines()[0] + b"\n" + data.split(b"\n", 1)[1]


def test_a_column_that_is_missing_foreign_or_repeated() -> None:
    assert problems("points", file(LABELS[:6] + LABELS[7:], ROW[1:])) == [
        f"dòng 1: thiếu cột 'Vĩ độ' (lat); cần đúng các cột: {'; '.join(LABELS)}"
    ]
    (told,) = problems("points", file([*LABELS, "Ghi chú", "Tên tỉnh"], [*ROW, "", ""]))
    assert told.startswith("dòng 1: cột lạ 'Ghi chú'; cột lặp lại 'Tên tỉnh' (province_vi); cần đúng các cột: Mã điểm")


def test_headings_with_accents_that_nobody_knows_are_those_of_people() -> None:
    (told,) = problems("points", file(["Mã", "Tên"], ["x", "y"]))
    assert told.startswith("dòng 1: thiếu cột 'Mã điểm và cửa khẩu' (code), ")


def test_cells_that_belong_together() -> None:
    for headings, told in (
        (LABELS, "dòng 2, cột Kinh độ: để trống; Vĩ độ và Kinh độ cần có cả hai, hoặc trống cả hai"),
        ([column.name for column in points.COLUMNS], "dòng 2, cột lon: để trống; lat và lon cần có cả hai, hoặc"),
    ):
        cells = [*ROW]
        cells[headings.index("Kinh độ" if headings is LABELS else "lon")] = ""
        (problem,) = problems("points", file(headings, cells))
        assert problem.startswith(told)
    swapped = dict(zip(LABELS, ROW, strict=True)) | {"Vĩ độ": "107.0488"}
    (problem,) = problems("points", file(list(swapped), list(swapped.values())))
    assert problem.endswith("cần từ 8 đến 24 (Vĩ độ và Kinh độ có bị đảo không?)")


def test_contents_or_a_topic() -> None:
    data = in_vietnamese(plan_file({"contents": ""}), plan_items.FORM)
    known = Known({"site": {"BG-20-CMA"}, "device": set(), "group": set()}, set(), {"ND-1"}, set())
    with pytest.raises(ImportRefused) as caught:
        read_plan(data, known)
    assert caught.value.problems == [
        "dòng 2, cột Mã nội dung: cần đúng một trong hai cột: Mã nội dung (một hay nhiều mã nội dung) hoặc Mã chủ đề"
    ]


def test_a_foreign_title_and_its_language() -> None:
    data = in_vietnamese(contents_file({"title_foreign": "x"}), content_file.FORM)
    labels = {column.name: column.label_vi for column in content_file.FORM.columns}
    with pytest.raises(ImportRefused) as caught:
        read_contents(data, {"quan_ly_ttdn"}, {})
    assert f"{labels['title_foreign']} và {labels['title_language']} cần có cả hai" in caught.value.problems[0]
