"""Templates of catalogue and plan: filled in with what they show as an example, they are taken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, get_args

import pytest

from hub.catalogue.contents import read_contents
from hub.catalogue.forms import FORMS, CatalogueForm, PlanForm
from hub.catalogue.groups import read_groups
from hub.catalogue.plan_items import Known, read_plan
from hub.catalogue.topics import read_topics
from hub.errors import ImportRefused
from hub.registry import template
from hub.registry.form import Form

KNOWN: Final = Known({"site": {"BG-20-CMA"}, "device": (), "group": ()}, {"DT-2026-01"}, {"ND-1"}, ())
READERS: Final[dict[str, Callable[[bytes], list[Any]]]] = {
    "topics": read_topics,
    "contents": lambda data: read_contents(data, {"hinh_anh_van_hoa"}, {}),
    "groups": lambda data: read_groups(data, {"led-1", "led-2"}),
    "items": lambda data: read_plan(data, KNOWN),
}
WRITERS: Final = {"csv": template.csv_file, "xlsx": template.workbook}


@pytest.mark.parametrize("ending", WRITERS)
@pytest.mark.parametrize("form", FORMS.values(), ids=list(FORMS))
def test_the_example_of_a_template_is_right(form: Form, ending: str) -> None:
    example = {column.name: column.example for column in form.columns}
    (entry,) = READERS[form.name](WRITERS[ending](form, [example]))
    assert entry.code == example["code"]


@pytest.mark.parametrize("ending", WRITERS)
@pytest.mark.parametrize("form", FORMS.values(), ids=list(FORMS))
def test_a_template_as_it_comes_holds_no_example_to_import(form: Form, ending: str) -> None:
    with pytest.raises(ImportRefused, match="không có dòng dữ liệu nào"):
        READERS[form.name](WRITERS[ending](form))


@pytest.mark.parametrize("ending", WRITERS)
def test_the_subjects_of_the_letter_are_in_the_template(ending: str) -> None:
    topics = read_topics(WRITERS[ending](FORMS["topics"], template.shipped_rows(FORMS["topics"])))
    assert len([topic for topic in topics if topic.letter == "5406/BTTTT-TTĐN"]) == 10
    assert template.shipped_rows(FORMS["contents"]) == []


@pytest.mark.parametrize("form", FORMS.values(), ids=list(FORMS))
def test_columns_name_what_they_are(form: Form) -> None:
    assert len({column.label_vi for column in form.columns}) == len(form.columns)
    assert all(column.expected_vi for column in form.columns)


def test_commands_and_api_know_every_form() -> None:
    assert list(FORMS) == [*get_args(CatalogueForm), *get_args(PlanForm)] == list(READERS)
