"""The API's first version: sites, devices, plays, streams; each within the provinces of who asks."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, HTTPException, Query
from fastapi import Path as PathParameter

from contract.ids import DEVICE_PATTERN
from hub.api.access import Exact, Reading
from hub.api.models import Device, Play, Plays, Problem, Site, Stream
from hub.api.question import Questions, cursor_of, place_of
from hub.registry import cells

_ABSENT: Final[dict[int | str, dict[str, Any]]] = {404: {"model": Problem, "description": "No such device."}}
PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    401: {"model": Problem, "description": "Who asks is not known."},
    403: {"model": Problem, "description": "Who asks may not."},
    429: {"model": Problem, "description": "Too often; Retry-After says when again."},
    503: {"model": Problem, "description": "No database."},
}
# Rust's regular expressions, which pydantic uses, spell the end of the text differently.
DEVICE: Final = DEVICE_PATTERN.replace(r"\Z", "$")
DeviceName = Annotated[str, PathParameter(pattern=DEVICE, examples=["bg-20-cma-k1"])]
CODE: Final = rf"^{cells.CODE.pattern}$"
OnlyDevice = Annotated[str | None, Query(description="Only of this device.", pattern=DEVICE)]
OnlySite = Annotated[str | None, Query(description="Only at this information point.", pattern=CODE)]
Limit = Annotated[int, Query(ge=1, le=500, description="Most entries.")]


def router(questions: Questions) -> APIRouter:
    """The endpoints below /api/v1."""
    api = APIRouter(prefix="/api/v1", responses=PROBLEMS)
    _places(api, questions)
    _histories(api, questions)
    return api


def _places(api: APIRouter, questions: Questions) -> None:
    @api.get("/sites", tags=["places"], summary="Registered sites, by province")
    def sites(who: Reading) -> list[Site]:
        with questions.ask(who.provinces) as question:
            return [Site(**row) for row in question.reader.sites()]

    @api.get("/devices", tags=["places"], summary="Every device that is registered or was heard, with its state now")
    def devices(who: Reading) -> list[Device]:
        with questions.ask(who.provinces) as question:
            return question.devices(exact=who.is_exact)

    @api.get("/devices/{name}", tags=["places"], summary="One device with its state now", responses=_ABSENT)
    def device(who: Reading, name: DeviceName) -> Device:
        with questions.ask(who.provinces) as question:
            found = question.devices(name, exact=who.is_exact)
        if not found:
            raise _absent(name)
        return found[0]


def _histories(api: APIRouter, questions: Questions) -> None:
    @api.get("/devices/{name}/plays", tags=["history"], summary="Slices of plays, newest first", responses=_ABSENT)
    def plays(
        who: Reading,
        name: DeviceName,
        limit: Limit = 100,
        before: Annotated[str | None, Query(description="`next` of the page before.", max_length=64)] = None,
    ) -> Plays:
        place = None if before is None else place_of(before)
        if before is not None and place is None:
            raise HTTPException(422, "before is not the `next` of a page")
        with questions.ask(who.provinces) as question:
            rows = question.reader.plays(_found(question.reader.device_ever(name), name), limit, place)
        following = cursor_of(rows[-1]) if len(rows) == limit else None
        return Plays(plays=[Play.from_row(row, exact=who.is_exact) for row in rows], next=following)

    @api.get("/devices/{name}/streams", tags=["history"], summary="The ledger: what has come", responses=_ABSENT)
    def streams(who: Exact, name: DeviceName) -> list[Stream]:
        with questions.ask(who.provinces) as question:
            return [Stream.from_row(row) for row in question.reader.streams(_found(question.reader.device(name), name))]


def _found(device: int | None, name: str) -> int:
    if device is None:
        raise _absent(name)
    return device


def _absent(name: str) -> HTTPException:
    return HTTPException(404, f"no device {name!r} is known")
