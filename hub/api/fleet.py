"""What devices are to be and do, over HTTP: configuration, commands, and the pictures that these bring.

All of it needs the scope `operate`, reading as well: a picture shows what stands on a screen of the province.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, HTTPException, Response
from fastapi import Path as PathParameter
from pydantic import BaseModel, ConfigDict, Field

from hub.api.access import Operating
from hub.api.models import Answer, Problem
from hub.api.question import Questions
from hub.api.v1 import PROBLEMS, DeviceName, Limit, OnlyDevice
from hub.config import HubSettings
from hub.fleet import wanted
from hub.fleet.errors import BadSetting, NotCommanded
from hub.fleet.orders import MAX_LASTS_S, ORDERS, order
from hub.fleet.wanted import Expected
from hub.people.principal import Principal
from hub.store import fleet as store
from hub.store.people import PeoplePool

_ABSENT: Final[dict[int | str, dict[str, Any]]] = {404: {"model": Problem, "description": "No such device or command."}}
_CHANGES: Final[dict[int | str, dict[str, Any]]] = _ABSENT | {
    422: {"model": Problem, "description": "It cannot be set so."}
}
Code = Annotated[str, PathParameter(alias="id", pattern="^[0-9a-f]{16}$", examples=["00112233445566ff"])]
_SUMMARY: Final = f"Ask a device for something: {', '.join(known.name for known in ORDERS)}"
CommandName = Literal["identify", "snapshot", "restart-player", "send-now"]


class WantedConfig(Answer):
    """What a device is to have, and what it has."""

    device: str = Field(examples=["bg-20-cma-k1"])
    site: str | None = Field(examples=["BG-20-CMA"])
    revision: int
    reported: int = Field(description="The revision that the device last said is in force; 0: its own file alone.")
    reported_at: datetime | None
    state: store.ConfigState = Field(description="sent: and not answered yet; waiting: for the device to connect.")
    detail: str = Field(description="What the device said to it.")
    settings: dict[str, str] = Field(examples=[{"intervals.look_s": "5"}])
    set_at: datetime
    set_by: str


class Changes(BaseModel):
    """Settings to change; an empty value leaves one to the device's own file."""

    model_config = ConfigDict(extra="forbid")
    set: dict[str, str] = Field(min_length=1, max_length=40, examples=[{"intervals.look_s": "5"}])


class GivenCommand(Answer):
    """A command, and what became of it."""

    id: str = Field(examples=["00112233445566ff"])
    device: str = Field(examples=["bg-20-cma-k1"])
    name: str = Field(examples=["identify"])
    issued_at: datetime
    issued_by: str = Field(examples=["person:nguyen.an"])
    expires_at: datetime
    outcome: str | None = Field(
        description="null: not answered yet; unanswered: it went out, and nobody knows whether it was done; withdrawn: "
        "it is sent no longer, as the device went to another province, or its roll-out was ended."
    )
    replied_at: datetime | None
    detail: str
    has_picture: bool


class NewCommand(BaseModel):
    """A command for a device."""

    model_config = ConfigDict(extra="forbid")
    name: CommandName
    lasts_s: int | None = Field(default=None, ge=5, le=MAX_LASTS_S, description="Not to be done later than that.")


def router(questions: Questions, pool: PeoplePool, settings: HubSettings) -> APIRouter:
    """The endpoints below /api/v1; `pool` writes."""
    api = APIRouter(prefix="/api/v1", tags=["fleet"], responses=PROBLEMS)
    _configs(api, questions, pool, Expected(settings.compliance.heartbeat_s, settings.ingest.alive_timeout_s))
    _commands(api, questions, pool)
    return api


def _configs(api: APIRouter, questions: Questions, pool: PeoplePool, expected: Expected) -> None:
    @api.get("/device-configs", summary="What the hub wants of devices, and whether they have it")
    def configs(who: Operating, device: OnlyDevice = None) -> list[WantedConfig]:
        with pool.connection() as connection:
            return [_config(row) for row in store.configs(connection, _asker(who), name=device)]

    @api.post("/devices/{name}/config", summary="Change what a device is to have", responses=_CHANGES)
    def configure(who: Operating, name: DeviceName, changes: Changes) -> WantedConfig:
        told = [f"{key}={value}" for key, value in changes.set.items()]
        with _refusals(), pool.connection() as connection:
            found = store.targets(connection, _asker(who), name=name)
            store.configure(
                connection, found, lambda known: wanted.changed(known, told, expected), _asker(who), questions.clock()
            )
            rows = store.configs(connection, _asker(who), name=name)
        if not rows:
            raise HTTPException(422, "nothing was set, and nothing is")
        return _config(rows[0])


def _commands(api: APIRouter, questions: Questions, pool: PeoplePool) -> None:
    @api.get("/commands", summary="Commands and what became of them, newest first")
    def commands(who: Operating, limit: Limit = 100, device: OnlyDevice = None) -> list[GivenCommand]:
        with pool.connection() as connection:
            return [_given(row) for row in store.commands(connection, _asker(who), device=device, most=limit)]

    @api.post("/devices/{name}/commands", status_code=201, summary=_SUMMARY, responses=_ABSENT)
    def give(who: Operating, name: DeviceName, new: NewCommand) -> GivenCommand:
        lasts = timedelta(seconds=new.lasts_s) if new.lasts_s is not None else order(new.name).lasts
        with _refusals(), pool.connection() as connection:
            (target,) = store.targets(connection, _asker(who), name=name)
            code = store.give(connection, target, new.name, lasts, _asker(who), questions.clock())
            return _given(store.command(connection, _asker(who), code))

    @api.get("/commands/{id}", summary="One command", responses=_ABSENT)
    def command(who: Operating, code: Code) -> GivenCommand:
        with _refusals(), pool.connection() as connection:
            return _given(store.command(connection, _asker(who), code))

    @api.get(
        "/commands/{id}/picture", summary="The picture that it brought", responses=_ABSENT, response_class=Response
    )
    def picture(who: Operating, code: Code) -> Response:
        with _refusals(), pool.connection() as connection:
            content_type, body = store.picture(connection, _asker(who), code)
        return Response(body, media_type=content_type)


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except NotCommanded as error:
        raise HTTPException(404, str(error)) from None
    except BadSetting as error:
        raise HTTPException(422, str(error)) from None


def _asker(who: Principal) -> store.Asker:
    return store.Asker(who.key, who.provinces)


def _config(row: dict[str, Any]) -> WantedConfig:
    return WantedConfig(**_of(WantedConfig, row | {"settings": wanted.told(row["settings"])}))


def _given(row: dict[str, Any]) -> GivenCommand:
    return GivenCommand(**_of(GivenCommand, row | {"id": row["code"]}))


def _of(model: type[BaseModel], row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in model.model_fields}
