"""How a roll-out tells devices: by the hub's commands."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import psycopg

from contract.command import Args
from contract.release import Offer
from hub.fleet.rollout import LASTS
from hub.store.fleet import Asker, give, targets
from hub.store.named import named
from hub.store.rollouts import BY_ITSELF, Answer, Commands


class FleetCommands(Commands):
    """Over a connection in autocommit mode or in a transaction."""

    def __init__(self, connection: psycopg.Connection[Any], lasts: timedelta = LASTS) -> None:
        self._connection, self._lasts = connection, lasts

    def give(self, device: str, version: str, offers: Sequence[Offer], now: datetime) -> str:
        """Tell a device to fetch and install; the command's code."""
        asker = Asker(BY_ITSELF)
        (target,) = targets(self._connection, asker, name=device)
        args = Args(version=version, packages=tuple(offers))
        return give(self._connection, target, "update", self._lasts, asker, now, args)

    def answers(self, codes: Sequence[str]) -> dict[str, Answer]:
        """What became of commands."""
        rows = self._connection.execute(named("rollouts")["answers"], {"codes": list(codes)}).fetchall()
        return {code: Answer(outcome or "waiting", detail) for code, outcome, detail in rows}
