"""The API's first version: sites, devices, plays, streams, incidents."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, HTTPException, Query
from fastapi import Path as PathParameter

from contract.ids import DEVICE_PATTERN
from hub.api.models import Device, Incident, Play, Plays, Problem, Site, Stream
from hub.api.question import Question, Questions, cursor_of, place_of

_ABSENT: Final[dict[int | str, dict[str, Any]]] = {404: {"model": Problem, "description": "No such device."}}
# Rust's regular expressions, which pydantic uses, spell the end of the text differently.
DeviceName = Annotated[str, PathParameter(pattern=DEVICE_PATTERN.replace(r"\Z", "$"), examples=["bg-20-cma-k1"])]
Limit = Annotated[int, Query(ge=1, le=500, description="Most entries.")]


def router(questions: Questions) -> APIRouter:
    """The endpoints below /api/v1."""
    api = APIRouter(prefix="/api/v1", responses={503: {"model": Problem, "description": "No database."}})
    _places(api, questions)
    _histories(api, questions)
    return api


def _places(api: APIRouter, questions: Questions) -> None:
    @api.get("/sites", tags=["places"], summary="Registered sites, by province")
    def sites() -> list[Site]:
        with questions.ask() as question:
            return [Site(**row) for row in question.reader.sites()]

    @api.get("/devices", tags=["places"], summary="Every device that is registered or was heard, with its state now")
    def devices() -> list[Device]:
        with questions.ask() as question:
            return question.devices()

    @api.get("/devices/{name}", tags=["places"], summary="One device with its state now", responses=_ABSENT)
    def device(name: DeviceName) -> Device:
        with questions.ask() as question:
            found = question.devices(name)
        if not found:
            raise _absent(name)
        return found[0]

    @api.get("/incidents", tags=["places"], summary="What a person should look at; open ones first")
    def incidents(limit: Limit = 100, *, only_open: Annotated[bool, Query(alias="open")] = False) -> list[Incident]:
        with questions.ask() as question:
            return [Incident(**row) for row in question.reader.incidents(limit, only_open=only_open)]


def _histories(api: APIRouter, questions: Questions) -> None:
    @api.get("/devices/{name}/plays", tags=["history"], summary="Slices of plays, newest first", responses=_ABSENT)
    def plays(
        name: DeviceName,
        limit: Limit = 100,
        before: Annotated[str | None, Query(description="`next` of the page before.", max_length=64)] = None,
    ) -> Plays:
        place = None if before is None else place_of(before)
        if before is not None and place is None:
            raise HTTPException(422, "before is not the `next` of a page")
        with questions.ask() as question:
            rows = question.reader.plays(_known(question, name), limit, place)
        following = cursor_of(rows[-1]) if len(rows) == limit else None
        return Plays(plays=[Play.from_row(row) for row in rows], next=following)

    @api.get("/devices/{name}/streams", tags=["history"], summary="The ledger: what has come", responses=_ABSENT)
    def streams(name: DeviceName) -> list[Stream]:
        with questions.ask() as question:
            return [Stream.from_row(row) for row in question.reader.streams(_known(question, name))]


def _known(question: Question, name: str) -> int:
    found = question.reader.device(name)
    if found is None:
        raise _absent(name)
    return found


def _absent(name: str) -> HTTPException:
    return HTTPException(404, f"no device {name!r} is known")
