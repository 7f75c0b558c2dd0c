"""How the plan stands, over HTTP: window by window, or counted. Unknown is one of four outcomes, told as such."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Final, Self

from fastapi import APIRouter, HTTPException, Query
from pydantic import Field

from hub.api.access import Reading
from hub.api.days import FirstDay, LastDay, days_of
from hub.api.models import Answer
from hub.api.question import Questions
from hub.api.v1 import CODE, PROBLEMS, Limit, OnlyDevice, OnlySite
from hub.compliance.fulfilment import Result
from hub.store.fulfilment import WHOLE_DAY
from hub.store.plan_results import ResultFilter, ResultPlace, Row

_CURSOR: Final = re.compile(r"(\d{4}-\d{2}-\d{2})\.(\d{1,9})\.(-1|\d{1,2})\.([A-Z0-9-]{1,32})", re.ASCII)
_STANDS: Final = (
    "enough: proven, whatever is unknown. too_little: short in any case. "
    "not_at_all: every moment is known, and nothing of it was shown. unknown: unknown time could hold what is missing."
)
OnlyItem = Annotated[str | None, Query(description="Only this line of the plan.", pattern=CODE)]


class LanguageResult(Answer):
    """A language's share of what is required."""

    required: int = Field(examples=[2])
    shown: int = Field(examples=[1])
    at_most: int | None = Field(description="If all that is unknown was shown; null: nobody can say.", examples=[1])


class PlanResult(Answer):
    """How one window of one line of the plan stands at one device."""

    item: str = Field(description="Stays when the line is removed.", examples=["KH-2026-01"])
    device: str = Field(examples=["bg-20-cma-l1"])
    site: str | None = Field(
        description="Where the device stood; on the day of a move each place has its own windows.",
        examples=["BG-20-CMA"],
    )
    day: date
    hour: int | None = Field(description="Local; 7: from 07:00 to 08:00; null: the whole day.", examples=[7])
    result: Result = Field(description=_STANDS, examples=["unknown"])
    required: int = Field(description="Plays, or ms where seconds are required.", examples=[4])
    shown: int = Field(description="Proven, in the same unit.", examples=[1])
    at_most: int | None = Field(description="If all that is unknown was shown; null: nobody can say.", examples=[None])
    shown_ms: int = Field(examples=[60_000])
    unknown_ms: int = Field(description="Of the window, in ms.", examples=[1_800_000])
    languages: dict[str, LanguageResult] = Field(description="By BCP 47 tag, where the line asks for shares.")
    judged_at: datetime = Field(description="Last; a day is judged again when something comes in for it.")

    @classmethod
    def from_row(cls, row: Row) -> Self:
        """From a row of the query `results`."""
        return cls(**row | {"hour": None if row["hour"] == WHOLE_DAY else row["hour"]})


class PlanResults(Answer):
    """A page of windows, oldest first. Days that are not over are not judged, and not here."""

    first_day: date
    last_day: date
    results: list[PlanResult]
    next: str | None = Field(description="Give it as `after` for the next page; null: this was the last.")


class ItemSummary(Answer):
    """How many judged windows of a line stand how; the four add up to `windows`."""

    item: str = Field(examples=["KH-2026-01"])
    windows: int = Field(examples=[70])
    enough: int = Field(examples=[61])
    too_little: int = Field(examples=[3])
    not_at_all: int = Field(examples=[1])
    unknown: int = Field(description="Of these nobody knows: neither shown nor not shown.", examples=[5])
    judged_at: datetime = Field(description="The last of them.")


class PlanSummary(Answer):
    """How the plan stands, line by line. Lines of which nothing was judged in these days are not here."""

    first_day: date
    last_day: date
    items: list[ItemSummary]


def router(questions: Questions) -> APIRouter:
    """The endpoints below /api/v1/plan."""
    api = APIRouter(prefix="/api/v1/plan", tags=["plan"], responses=PROBLEMS)
    _windows(api, questions)
    _counts(api, questions)
    return api


def _windows(api: APIRouter, questions: Questions) -> None:
    @api.get("/results", summary="Whether what was planned was shown, window by window")
    def results(
        who: Reading,
        first_day: FirstDay = None,
        last_day: LastDay = None,
        item: OnlyItem = None,
        device: OnlyDevice = None,
        site: OnlySite = None,
        result: Annotated[Result | None, Query(description="Only windows that stand so.")] = None,
        limit: Limit = 100,
        after: Annotated[str | None, Query(description="`next` of the page before.", max_length=64)] = None,
    ) -> PlanResults:
        days = days_of(first_day, last_day, questions.clock())
        place = None if after is None else place_of(after)
        if after is not None and place is None:
            raise HTTPException(422, "after is not the `next` of a page")
        with questions.ask(who.provinces) as question:
            rows = question.reader.plan_results(ResultFilter(*days, item, device, site, result), limit, place)
        return PlanResults(
            first_day=days.first,
            last_day=days.last,
            results=[PlanResult.from_row(row) for row in rows],
            next=cursor_of(rows[-1]) if len(rows) == limit else None,
        )


def _counts(api: APIRouter, questions: Questions) -> None:
    @api.get("/results/summary", summary="How many windows of each line of the plan stand how")
    def summary(
        who: Reading,
        first_day: FirstDay = None,
        last_day: LastDay = None,
        item: OnlyItem = None,
        device: OnlyDevice = None,
        site: OnlySite = None,
    ) -> PlanSummary:
        days = days_of(first_day, last_day, questions.clock())
        with questions.ask(who.provinces) as question:
            rows = question.reader.plan_summary(ResultFilter(*days, item, device, site))
        return PlanSummary(first_day=days.first, last_day=days.last, items=[ItemSummary(**row) for row in rows])


def cursor_of(row: Row) -> str:
    """Where a page of windows ended."""
    return f"{row['day']}.{row['placement']}.{row['hour']}.{row['item']}"


def place_of(cursor: str) -> ResultPlace | None:
    """What `cursor_of` made; None if it is none of ours."""
    match = _CURSOR.fullmatch(cursor)
    if match is None:
        return None
    try:
        day = date.fromisoformat(match[1])
    except ValueError:
        return None
    return ResultPlace(day, match[4], int(match[2]), int(match[3]))
