"""`[compliance]`: what counts as shown."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hub.config.section import Section


class ComplianceSettings(Section):
    """What counts as shown, and as known."""

    minimum_grade: Literal["scheduled", "reported", "rendering", "panel_on", "frame_match"] = Field(
        default="rendering", description="The lowest grade of a play that counts as shown."
    )
    heartbeat_s: int = Field(
        default=60, ge=1, le=86_400, description="Time between two health reports of the kiosks; longer is silence."
    )
