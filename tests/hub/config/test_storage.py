"""How long rows are kept."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from hub.config import StorageSettings
from hub.config.storage import JUDGED_DAYS
from hub.store.fulfilment import REACH_DAYS


@pytest.mark.parametrize("kind", ["play", "screen", "health", "lifecycle", "loss"])
def test_evidence_is_kept_while_it_is_judged_again(kind: str) -> None:
    assert REACH_DAYS == JUDGED_DAYS
    name = f"{kind}_days"
    assert StorageSettings.model_validate({name: JUDGED_DAYS + 1}).model_dump()[name] == JUDGED_DAYS + 1
    with pytest.raises(ValidationError, match=f"(?s){name}.*must be at least {JUDGED_DAYS + 1}: whether the plan"):
        StorageSettings.model_validate({name: JUDGED_DAYS})


def test_what_is_no_evidence_may_go_sooner() -> None:
    assert StorageSettings(interaction_days=2, fault_days=2).retention_days()["interaction"] == 2
