"""Files of catalogue and plan: the one place where one is added."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from hub.catalogue import contents, groups, plan_items, topics
from hub.registry.form import Form

CatalogueForm = Literal["topics", "contents"]
PlanForm = Literal["groups", "items"]
FORMS: Final[Mapping[str, Form]] = {
    form.name: form for form in (topics.FORM, contents.FORM, groups.FORM, plan_items.FORM)
}
