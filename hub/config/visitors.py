"""`[visitors]`: figures of visitors that leave the province."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from hub.config.section import Section

Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})?$")]


class VisitorSettings(Section):
    """Figures of visitors that leave the province: sessions by site, month and language, published once."""

    threshold: int = Field(
        default=10, ge=5, le=1_000, multiple_of=5, description="Fewer sessions than this are not told; a multiple of 5."
    )
    closed_after_days: int = Field(
        default=65,
        ge=0,
        le=400,
        description="A month is published this many days after its end: longer than a kiosk may be off line.",
    )
    languages: tuple[Language, ...] = Field(
        default=("vi", "en", "zh", "lo", "km", "und"),
        min_length=1,
        max_length=32,
        description="Languages that kiosks offer, as they report them; und: none was chosen. Sessions in others are "
        "not published.",
    )

    @field_validator("languages")
    @classmethod
    def _differ(cls, languages: tuple[str, ...]) -> tuple[str, ...]:
        twice = sorted({language for language in languages if languages.count(language) > 1})
        if twice:
            raise ValueError(f"the language {twice[0]} is listed twice")
        return languages
