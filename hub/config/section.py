"""What all sections of the settings have in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """What all sections have in common: nothing changes after loading, and nothing unknown is let through."""

    model_config = ConfigDict(frozen=True, extra="forbid")
