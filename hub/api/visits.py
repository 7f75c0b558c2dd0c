"""Visitors over HTTP: exact sums, which stay in the province, and what was published."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Final, Literal, Self

from fastapi import APIRouter, HTTPException, Query
from pydantic import Field

from hub.api.access import Published, Visitors
from hub.api.days import FirstDay, LastDay, days_of
from hub.api.models import Answer
from hub.api.question import Questions
from hub.api.v1 import PROBLEMS, Limit, OnlySite
from hub.store.readers import Row
from hub.store.visit_reader import PublishedPlace, VisitGrouping

_MONTH: Final = r"^[0-9]{4}-(0[1-9]|1[0-2])$"
_CURSOR: Final = re.compile(r"(\d{4}-\d{2})/([^/\0]{1,64})/([A-Za-z0-9-]{1,35})", re.ASCII)
Grouping = Annotated[VisitGrouping, Query(description="By what sessions are counted.")]
FirstMonth = Annotated[str | None, Query(description="First month.", pattern=_MONTH, examples=["2026-05"])]
LastMonth = Annotated[str | None, Query(description="Last month, included.", pattern=_MONTH, examples=["2026-07"])]


class VisitSums(Answer):
    """Sums of visits that began in these days, of one group; of the groupings, only the fields of the one asked for."""

    site: str | None = Field(None, description="null: nobody has said where the device stood.", examples=["BG-20-CMA"])
    language: str | None = Field(None, description="BCP 47; und: none was chosen.", examples=["lo"])
    topic: str | None = Field(
        None,
        description="Of what was on screen when the visit began, by the catalogue of that day; null: not known.",
        examples=["hinh_anh_van_hoa"],
    )
    weekday: int | None = Field(None, description="Local; 1 is Monday.", examples=[1])
    hour: int | None = Field(None, description="Local; 7: from 07:00 to 08:00.", examples=[7])
    sessions: int = Field(description="Those whose beginning is known.", examples=[42])
    page_views: int = Field(examples=[118])
    duration_ms: int = Field(examples=[3_600_000])
    feedbacks: int = Field(examples=[5])
    feedback_sum: int = Field(description="Of ratings from 1 to 5.", examples=[21])


class Visits(Answer):
    """Exact figures. A group that is not here had no visit that is known of: events that are missing may yet come."""

    by: VisitGrouping = Field(examples=["language"])
    first_day: date
    last_day: date
    groups: list[VisitSums]


class PublishedVisitors(Answer):
    """A published figure; it is never changed."""

    month: str = Field(description="Of local time.", examples=["2026-05"])
    site: str = Field(examples=["BG-20-CMA"])
    province_code: str = Field(description="Of the site's gate at the end of the month.", examples=["20"])
    language: str = Field(description="BCP 47; und: none was chosen.", examples=["lo"])
    sessions: int | None = Field(description="Rounded to 5; null: see flag.", examples=[35])
    flag: Literal["c"] | None = Field(description="c: too few to be told, or none.", examples=[None])
    published_at: datetime

    @classmethod
    def from_row(cls, row: Row) -> Self:
        """From a row of the query `published`."""
        return cls(**row | {"month": _month(row["month"])})


class PublishedPage(Answer):
    """A page of published figures, oldest first."""

    figures: list[PublishedVisitors]
    next: str | None = Field(description="Give it as `after` for the next page; null: this was the last.")


def router(questions: Questions) -> APIRouter:
    """The endpoints below /api/v1/visits."""
    api = APIRouter(prefix="/api/v1/visits", tags=["visitors"], responses=PROBLEMS)
    _exact(api, questions)
    _published(api, questions)
    return api


def _exact(api: APIRouter, questions: Questions) -> None:
    @api.get(
        "",
        summary="Sessions by site, language, topic, or hour of the week: exact, for the province alone",
        response_model_exclude_unset=True,
    )
    def visits(
        who: Visitors, by: Grouping, first_day: FirstDay = None, last_day: LastDay = None, site: OnlySite = None
    ) -> Visits:
        days = days_of(first_day, last_day, questions.clock())
        with questions.ask(who.provinces) as question:
            rows = question.reader.visits(by, *days, site)
        groups = [VisitSums(**row) for row in rows]
        return Visits(by=by, first_day=days.first, last_day=days.last, groups=groups)


def _published(api: APIRouter, questions: Questions) -> None:
    @api.get("/published", summary="Sessions by month, site and language, as published")
    def published(
        who: Published,
        first_month: FirstMonth = None,
        last_month: LastMonth = None,
        site: OnlySite = None,
        limit: Limit = 100,
        after: Annotated[str | None, Query(description="`next` of the page before.", max_length=120)] = None,
    ) -> PublishedPage:
        first, last = _day_of(first_month), _day_of(last_month)
        place = None if after is None else place_of(after)
        if after is not None and place is None:
            raise HTTPException(422, "after is not the `next` of a page")
        with questions.ask(who.provinces) as question:
            rows = question.reader.published_visitors(first, last, site, limit, place)
        following = cursor_of(rows[-1]) if len(rows) == limit else None
        return PublishedPage(figures=[PublishedVisitors.from_row(row) for row in rows], next=following)


def cursor_of(row: Row) -> str:
    """Where a page of published figures ended."""
    return f"{_month(row['month'])}/{row['site']}/{row['language']}"


def place_of(cursor: str) -> PublishedPlace | None:
    """What `cursor_of` made; None if it is none of ours."""
    match = _CURSOR.fullmatch(cursor)
    try:
        return PublishedPlace(date.fromisoformat(f"{match[1]}-01"), match[2], match[3]) if match else None
    except ValueError:
        return None


def _month(first_day: date) -> str:
    return first_day.isoformat()[:7]


def _day_of(month: str | None) -> date | None:
    try:
        return None if month is None else date.fromisoformat(f"{month}-01")
    except ValueError:
        raise HTTPException(422, f"there is no month {month}") from None
