"""`[storage]`: how long rows are kept."""

from __future__ import annotations

from typing import Final

from pydantic import Field, field_validator

from contract.events import KINDS, Kind
from hub.config.section import Section

JUDGED_DAYS: Final = 35
"""So many days are judged anew when plan or catalogue change: their evidence must be there."""


class StorageSettings(Section):
    """How long rows are kept, by kind; hourly counts are kept for good. `ttdn-hub maintain` sees to it, once a day.

    Interactions and the facts of visits made of them are gone at most so many days after they happened, one day earlier
    as a rule; everything else is kept at least so many days.
    """

    play_days: int = Field(default=800, ge=2, le=36_500, description="Slices of plays.")
    screen_days: int = Field(default=800, ge=2, le=36_500, description="Power of screens.")
    interaction_days: int = Field(
        default=30,
        ge=2,
        le=30,
        description="Interactions of visitors: gone at most so many days after they happened, then only counts.",
    )
    health_days: int = Field(default=400, ge=2, le=36_500, description="Condition of devices.")
    fault_days: int = Field(default=800, ge=2, le=36_500, description="Faults.")
    lifecycle_days: int = Field(default=3_650, ge=2, le=36_500, description="Starts, stops, changes of clock.")
    loss_days: int = Field(default=3_650, ge=2, le=36_500, description="Declarations of loss.")
    compress_after_days: int = Field(
        default=60, ge=3, le=36_500, description="With TimescaleDB: chunks that are older are compressed."
    )

    @field_validator("play_days", "screen_days", "health_days", "lifecycle_days", "loss_days")
    @classmethod
    def _evidence_stays(cls, days: int) -> int:
        """Rows go at midnight UTC: a day more, so that the first of the days is whole."""
        if days <= JUDGED_DAYS:
            raise ValueError(
                f"must be at least {JUDGED_DAYS + 1}: whether the plan was fulfilled is judged again for {JUDGED_DAYS} "
                f"days, from these rows; {days} is too few"
            )
        return days

    def retention_days(self) -> dict[Kind, int]:
        """By kind of event."""
        return {kind: getattr(self, f"{kind}_days") for kind in KINDS}
