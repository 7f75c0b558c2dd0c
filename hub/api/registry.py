"""The registry over HTTP: lists as of a day, templates, and files in; each within the provinces of who asks."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, HTTPException, Query, Request, Response, Security
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from hub.api import template
from hub.api.access import Reading, principal
from hub.api.question import Questions
from hub.api.registry_models import (
    Activity,
    Campaign,
    Gate,
    ImportAnswer,
    Organisation,
    Province,
    RegisteredDevice,
    RegisteredSite,
)
from hub.api.v1 import PROBLEMS
from hub.config import HubSettings
from hub.errors import ImportRefused
from hub.people.principal import Principal
from hub.registry.files import KINDS, FileKind, kind_of
from hub.registry.plan import Plan
from hub.registry.rows import MOST_BYTES
from hub.store.connection import connect
from hub.store.registry import import_file, preview_file

PATH: Final = "/api/v1/registry"
UPLOAD_PATH: Final = f"{PATH}/import/"
MOST_UPLOAD_BYTES: Final = MOST_BYTES
_LOCK_WAIT_S: Final = 30.0
_KIND_NAMES: Final = ", ".join(kind.name for kind in KINDS)
_BODY: Final = {
    "requestBody": {"required": True, "content": {"text/csv": {}, template.XLSX: {}, "application/octet-stream": {}}}
}
Managing = Annotated[Principal, Security(principal, scopes=["manage"])]
AsOf = Annotated[
    date | None, Query(description="As it was on that local day. Else: as it is today, and what begins later.")
]


def router(questions: Questions, settings: HubSettings) -> APIRouter:
    """The endpoints below /api/v1/registry."""
    api = APIRouter(prefix=PATH, tags=["registry"], responses=PROBLEMS)
    _bodies(api, questions)
    _things(api, questions)
    _files(api, questions, settings)
    return api


def _bodies(api: APIRouter, questions: Questions) -> None:
    @api.get("/provinces", summary="Provinces, with those that were merged into them")
    def provinces(who: Reading, as_of: AsOf = None) -> list[Province]:
        with questions.ask(who.provinces) as question:
            return [Province(**row) for row in question.reader.registry("provinces", as_of)]

    @api.get("/organisations", summary="Organisations by agency code; national ones are everybody's to see")
    def organisations(who: Reading, as_of: AsOf = None) -> list[Organisation]:
        with questions.ask(who.provinces) as question:
            return [Organisation(**row) for row in question.reader.registry("organisations", as_of)]

    @api.get("/campaigns", summary="Campaigns, the latest first")
    def campaigns(who: Reading) -> list[Campaign]:
        with questions.ask(who.provinces) as question:
            return [Campaign(**row) for row in question.reader.registry("campaigns")]

    @api.get("/activities", summary="Training classes and the like, the latest first")
    def activities(who: Reading) -> list[Activity]:
        with questions.ask(who.provinces) as question:
            return [Activity(**row) for row in question.reader.registry("activities")]


def _things(api: APIRouter, questions: Questions) -> None:
    @api.get("/gates", summary="Gates and crossings, with type and province of that day")
    def gates(who: Reading, as_of: AsOf = None) -> list[Gate]:
        with questions.ask(who.provinces) as question:
            return [Gate(**row) for row in question.reader.registry("gates", as_of)]

    @api.get("/sites", summary="Information points, with type and province of that day")
    def sites(who: Reading, as_of: AsOf = None) -> list[RegisteredSite]:
        with questions.ask(who.provinces) as question:
            return [RegisteredSite(**row) for row in question.reader.registry("sites", as_of)]

    @api.get("/devices", summary="Devices with the history of their places, as far as it is yours to see")
    def devices(who: Reading, as_of: AsOf = None) -> list[RegisteredDevice]:
        with questions.ask(who.provinces) as question:
            return [RegisteredDevice(**row) for row in question.reader.registry("devices", as_of)]


def _files(api: APIRouter, questions: Questions, settings: HubSettings) -> None:
    @api.get("/template/{kind}.{form}", summary=template.SUMMARY)
    def empty(_who: Reading, kind: str, form: template.Ending) -> Response:
        return template.hand_out(_chosen(kind), form)

    @api.post(
        "/import/{kind}",
        summary="Import a CSV or Excel file, all or nothing; or, with preview, see what it would do",
        responses={422: {"model": ImportAnswer, "description": "Nothing of the file was taken; `problems` says why."}},
        openapi_extra=_BODY,
    )
    async def import_(
        who: Managing,
        request: Request,
        kind: str,
        *,
        preview: Annotated[bool, Query(description="Only tell; nothing is changed.")] = False,
    ) -> ImportAnswer:
        chosen = _chosen(kind)
        data = await request.body()
        plan = await run_in_threadpool(_import, settings, chosen, data, who, questions.clock(), preview=preview)
        answer = ImportAnswer.from_plan(plan, taken=not preview and not plan.problems)
        if plan.problems and not preview:
            return JSONResponse(answer.model_dump(mode="json"), status_code=422)  # type: ignore[return-value]
        return answer


def _import(
    settings: HubSettings, kind: FileKind[Any], data: bytes, who: Principal, now: datetime, *, preview: bool
) -> Plan:
    """On a connection of its own: importing is rare, and may take longer than what the pools are for."""
    dsn = settings.database.conninfo()
    with connect(dsn, "registry", lock_timeout_s=_LOCK_WAIT_S, autocommit=True) as connection:
        if preview:
            return preview_file(connection, kind, data, within=who.provinces, now=now)
        try:
            return import_file(connection, kind, data, by=who.key, within=who.provinces, now=now)
        except ImportRefused as refused:
            return Plan(kind.name, problems=refused.found)


def _chosen(kind: str) -> FileKind[Any]:
    try:
        return kind_of(kind)
    except LookupError:
        raise HTTPException(404, f"no kind of file {kind!r}; there are: {_KIND_NAMES}") from None
