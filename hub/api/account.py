"""Login, logout and who one is, over the API. People and tokens are managed by the command `ttdn-hub`."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, HTTPException, Request, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from hub.api.access import Anybody
from hub.api.entrance import Entrance
from hub.api.models import Me, Problem
from hub.api.v1 import PROBLEMS

_LOGIN: Final[dict[int | str, dict[str, Any]]] = {
    401: {"model": Problem, "description": "Name or password is wrong."},
    403: {"model": Problem, "description": "Not over https, or sent by a page of another site."},
    429: {"model": Problem, "description": "Failed too often; Retry-After says when again."},
}


class Credentials(BaseModel):
    """A name and a password."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(max_length=200, examples=["nguyen.an"])]
    password: Annotated[SecretStr, Field(max_length=1_024)]


def router(entrance: Entrance) -> APIRouter:
    """The endpoints below /api/v1."""
    api = APIRouter(prefix="/api/v1", tags=["account"], responses=PROBLEMS)

    @api.post("/login", summary="Begin a session: a cookie for a browser", status_code=204, responses=_LOGIN)
    def login(request: Request, response: Response, given: Credentials) -> None:
        entrance.enter(request, response, given.name, given.password.get_secret_value())

    @api.post("/logout", summary="End the session of the cookie", status_code=204)
    def logout(request: Request, response: Response, who: Anybody) -> None:
        if who.kind != "person":
            raise HTTPException(403, "only a session can be ended; a token: ttdn-hub token revoke")
        entrance.leave(request, response)

    @api.get("/me", summary="Who asks, and what is theirs to see")
    def me(who: Anybody) -> Me:
        return Me.from_principal(who)

    return api
