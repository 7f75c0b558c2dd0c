"""`[releases]`: packages of new versions of the agent."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from hub.config.section import Section


class ReleaseSettings(Section):
    """Packages that kiosks fetch over HTTPS; ttdn-hub release add puts them there."""

    folder: Path = Field(
        default=Path("/var/lib/ttdn-hub/releases"),
        description="Signed packages, each under its SHA-256; they are no secret.",
    )
