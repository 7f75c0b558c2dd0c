"""Files to fill in: what is written into them is what is read, as CSV and as a workbook."""

from __future__ import annotations

import io
import unicodedata
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.catalogue.forms import FORMS
from hub.registry import template
from hub.registry.cells import shown
from hub.registry.columns import Column
from hub.registry.files import KINDS, FileKind, kind_of
from hub.registry.form import Form
from hub.registry.rows import read_rows
from tests.hub.registry.making import EMPTY, example, planned, problems

ALL_FORMS: list[Form] = [*KINDS, *FORMS.values()]
KIND_NAMES = [kind.name for kind in KINDS]
WRITERS = {"csv": template.csv_file, "xlsx": template.workbook}
BORDER = "04,08,11,12,14,15,20,22,38,40,42,44,46,48,51,52,66,68,75,80,82,91"
_TEXTS = (
    st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp", "Cn"]), max_size=40)
    .map(lambda text: unicodedata.normalize("NFC", text).strip())
    .filter(lambda text: text == unicodedata.normalize("NFC", text).strip())
)
_TRICKY = st.sampled_from(
    ("04", "=1+1", "@x", "-", "1e5", "TRUE", "https://example.org", "a;b,c", 'nói "thế"', "'", "#N/A")
)


def cells_of(column: Column) -> st.SearchStrategy[str]:
    if column.holds == "number":
        return st.just("") | st.integers(0, 10**6).map(str) | st.floats(0, 200).map(lambda x: f"{x:.3f}1")
    if column.holds == "date":
        return st.just("") | st.dates().map(shown)
    return _TEXTS | _TRICKY


def rows_of(kind: Form) -> st.SearchStrategy[list[dict[str, str]]]:
    row = st.fixed_dictionaries({column.name: cells_of(column) for column in kind.columns})
    return st.lists(row.filter(lambda cells: any(cells.values())), min_size=1, max_size=4)


@pytest.mark.parametrize("form", WRITERS)
@given(data=st.data())
@settings(deadline=None, max_examples=60)
def test_what_is_written_is_read(form: str, data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(ALL_FORMS))
    rows = data.draw(rows_of(kind))
    found = read_rows(WRITERS[form](kind, rows), kind.columns, key=())
    assert found.problems == []
    assert [dict(row.cells) for row in found.rows] == rows


@pytest.mark.parametrize("form", WRITERS)
@pytest.mark.parametrize("kind", KINDS, ids=KIND_NAMES)
def test_a_template_as_it_comes_holds_nothing_to_import(kind: FileKind[Any], form: str) -> None:
    """An example that somebody forgets to delete is no entry."""
    assert problems(kind.name, WRITERS[form](kind)) == [
        "tệp không có dòng dữ liệu nào; cần ít nhất một dòng sau dòng tiêu đề"
    ]
    filled = planned(kind.name, WRITERS[form](kind, [example(kind.name, parent="")]))
    assert filled.problems == []


@pytest.mark.parametrize("kind", ALL_FORMS, ids=[form.name for form in ALL_FORMS])
def test_a_workbook_explains_itself(kind: Form) -> None:
    book = openpyxl.load_workbook(io.BytesIO(template.workbook(kind)))
    assert book.sheetnames == [template.SHEET, template.GUIDE]
    sheet, guide = book[template.SHEET], book[template.GUIDE]
    assert [cell.value for cell in sheet[1]] == [column.heading for column in kind.columns]
    explained = {row[1]: row for row in guide.iter_rows(values_only=True) if row[1] is not None}
    for column in kind.columns:
        needed, told = "có (*)" if column.needed else "không", (column.expected_vi, column.example)
        assert explained[column.name][:5] == (column.label_vi, column.name, needed, *told)
    by_column = {
        str(found.sqref).rstrip("0123456789").split(":")[0][:-1]: found
        for found in sheet.data_validations.dataValidation
    }
    for place, column in enumerate(kind.columns):
        letter = openpyxl.utils.get_column_letter(place + 1)
        found = by_column[letter]
        assert (found.type == "list") == bool(column.choices)
        assert found.prompt == column.expected_vi[:250]
        if column.choices:
            name, _, cells = found.formula1.lstrip("=").partition("!")
            listed = [cell.value for (cell,) in book[name.strip("'")][cells.replace("$", "")]]
            assert listed == [choice.label_vi for choice in column.choices]
        wanted = "General" if column.holds == "number" else "@"
        (width,) = (one for one in sheet.column_dimensions.values() if one.min <= place + 1 <= one.max)
        assert width.number_format == wanted


def test_the_border_provinces_come_with_the_hub() -> None:
    kind = kind_of("provinces")
    for write in WRITERS.values():
        plan = planned("provinces", write(kind, template.shipped_rows(kind)), EMPTY)
        assert plan.problems == []
        assert ",".join(change.entry.code for change in plan.changes) == BORDER
    assert template.shipped_rows(kind_of("gates")) == []
