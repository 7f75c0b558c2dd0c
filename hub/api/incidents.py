"""Incidents over HTTP: what went wrong, who has it in hand; named persons take and close those of their provinces."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, HTTPException, Query
from fastapi import Path as PathParameter
from pydantic import Field

from hub.api.access import Reading, Responding
from hub.api.models import Answer, Problem
from hub.api.question import Questions
from hub.api.v1 import PROBLEMS, Limit, OnlyDevice, OnlySite
from hub.people.principal import Principal
from hub.store import incidents as store
from hub.store.incidents import Connection, IncidentTaken, NoSuchIncident, Responder
from hub.store.people import PeoplePool
from hub.store.readers import IncidentFilter, IncidentState

_CHANGES: Final[dict[int | str, dict[str, Any]]] = {
    404: {"model": Problem, "description": "No such incident."},
    409: {"model": Problem, "description": "Somebody has it in hand already, or it is closed; the text says who."},
}
_MOST: Final = 2**63 - 1
_HIDDEN: Final = "null where names of people are not yours to see: they stay in the province."
Number = Annotated[int, PathParameter(alias="id", ge=1, le=_MOST, examples=[17])]
State = Annotated[IncidentState, Query(description="open: waiting for somebody, or in hand.")]


class Incident(Answer):
    """Something that a person should look at, of the place where it was first seen."""

    id: int = Field(examples=[17])
    kind: str = Field(examples=["content_unknown"])
    device: str = Field(examples=["bg-20-cma-k1"])
    subject: str = Field(description="What of the device, such as a content's name; may be empty.", examples=["la.mp4"])
    site: str | None = Field(description="null: nobody has said where the device stood.", examples=["BG-20-CMA"])
    site_vi: str | None = Field(examples=["Chi Ma"])
    province_code: str | None = Field(examples=["20"])
    opened_at: datetime
    last_at: datetime
    times: int = Field(examples=[3])
    detail: dict[str, Any] | None = Field(description="null: not yours to see.", examples=[{"day": "2026-09-21"}])
    acknowledged_at: datetime | None = Field(description="null: nobody has it in hand.")
    acknowledged_by: str | None = Field(description=f"A person. {_HIDDEN}", examples=["nguyen.an"])
    closed_at: datetime | None
    closed_by: str | None = Field(
        description="A person; `catalogue`: it was approved; `config`: the device has the configuration that it is to "
        f"have; or the kind of incident that a change of the catalogue made of it. {_HIDDEN}"
    )


class Incidents(Answer):
    """A page of incidents, newest first."""

    incidents: list[Incident]
    next: int | None = Field(description="Give it as `before` for the next page; null: this was the last.")


def router(questions: Questions, pool: PeoplePool) -> APIRouter:
    """The endpoints below /api/v1; `pool` writes."""
    api = APIRouter(prefix="/api/v1", tags=["incidents"], responses=PROBLEMS)
    _list(api, questions)
    _changes(api, questions, pool)
    return api


def _list(api: APIRouter, questions: Questions) -> None:
    @api.get("/incidents", summary="What a person should look at, newest first; those that are closed by `state`")
    def incidents(
        who: Reading,
        limit: Limit = 100,
        before: Annotated[int | None, Query(description="`next` of the page before.", ge=1, le=_MOST)] = None,
        state: State = "open",
        kind: Annotated[str | None, Query(description="Only of this kind.", pattern="^[a-z_]{1,48}$")] = None,
        device: OnlyDevice = None,
        site: OnlySite = None,
    ) -> Incidents:
        wanted = IncidentFilter(state, kind, device, site)
        with questions.ask(who.provinces) as question:
            rows = question.reader.incidents(wanted, limit, before, exact=who.is_exact)
        found = [Incident(**row) for row in rows]
        return Incidents(incidents=found, next=found[-1].id if len(found) == limit else None)


def _changes(api: APIRouter, questions: Questions, pool: PeoplePool) -> None:
    def told(who: Principal, number: int) -> Incident:
        with questions.ask(who.provinces) as question:
            (row,) = question.reader.incidents(IncidentFilter("all", id=number), 1, exact=who.is_exact)
        return Incident(**row)

    def change(how: Callable[[Connection, int, Responder, datetime], None], who: Principal, number: int) -> Incident:
        try:
            with pool.connection() as connection:
                how(connection, number, Responder(who.name, who.key, who.provinces), questions.clock())
        except NoSuchIncident:
            raise HTTPException(404, f"no incident {number} is known") from None
        except IncidentTaken as taken:
            raise HTTPException(409, str(taken)) from None
        return told(who, number)

    @api.post("/incidents/{id}/acknowledge", summary="Take it in hand: nobody else is told of it", responses=_CHANGES)
    def acknowledge(who: Responding, number: Number) -> Incident:
        return change(store.acknowledge, who, number)

    @api.post("/incidents/{id}/close", summary="It is over; if it comes again, it is another one", responses=_CHANGES)
    def close(who: Responding, number: Number) -> Incident:
        return change(store.close, who, number)
