"""`[log]`: lines on standard error."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hub.config.section import Section


class LogSettings(Section):
    """Lines on standard error, in UTC."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least that is written."
    )
    format: Literal["text", "json"] = Field(default="text", description="text: a line to read. json: an object a line.")
