"""Packages of new versions, for kiosks: in pieces, as their lines allow.

Nobody logs in: a package is signed and no secret, and its name is its SHA-256, which only who was told of it knows.
So a stolen kiosk learns nothing here, and what a kiosk gets it checks itself. Requests count against the limit of
their address like any other.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Path
from fastapi.responses import FileResponse

from contract.release import UPDATES_PATH
from hub.releases.shelf import Shelf

Digest = Annotated[str, Path(pattern="^[0-9a-f]{64}$")]


def router(shelf: Shelf) -> APIRouter:
    """What answers below UPDATES_PATH."""
    routes = APIRouter(tags=["updates"])

    @routes.get(UPDATES_PATH + "{sha256}", include_in_schema=False)
    @routes.head(UPDATES_PATH + "{sha256}", include_in_schema=False)
    def package(sha256: Digest) -> FileResponse:
        """One package, or the part that `Range` asks for."""
        file = shelf.file(sha256)
        if file is None:
            raise HTTPException(404, "there is no such package; see: ttdn-hub release list")
        headers = {"ETag": f'"{sha256}"', "Cache-Control": "public, max-age=31536000, immutable"}
        return FileResponse(file, media_type="application/octet-stream", headers=headers)

    return routes
