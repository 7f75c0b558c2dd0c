"""Cards that were put back to an earlier state, or copied, by the count of openings that an outbox keeps of itself.

An outbox counts each opening for writing. Its next run says a greater number than the one before, whatever has
happened in between: restarts, power cuts, a hub that went back to a backup (and remembers a smaller one). A number that
is not greater, from another run than the one that said it first, was counted by a copy. An outbox that was set aside as
damaged is followed by one of another name.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal, NamedTuple

import psycopg

from contract.status import Opening
from hub.store.identities import Identities
from hub.store.moment import moment
from hub.store.named import named

_SESSIONS_KEPT: Final = 8
"""Two cards of one image take turns for hours; each run is told of once."""


class Known(NamedTuple):
    """What is on record of one outbox of a device: its number, since when, and the latest runs."""

    number: int
    since: datetime
    sessions: list[str]


Verdict = Literal["new", "nothing", "put_back"]
"""The first word of a run; nothing to be told; a number that was counted before."""


def judge(known: Known | None, number: int, session: str, heard: datetime) -> Verdict:
    """What an opening means that another worker may have heard already, or that has waited since before a later one."""
    if known is None or (number > known.number and session not in known.sessions):
        return "new"
    if session in known.sessions or heard <= known.since:
        return "nothing"
    return "put_back"


class OpeningStore:
    """One connection's hand on openings; the connection is in autocommit mode."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self._identities = Identities()

    def heard(self, name: str, session: str, opening: Opening, heard_ms: int) -> Verdict:
        """Book an opening, and say what it means: `new` and `put_back` once a run."""
        heard = moment(heard_ms)
        with self._connection.transaction():
            device = self._identities.device(self._connection, name)
            values: dict[str, object] = {"device": device, "outbox": opening.outbox}
            row = self._connection.execute(named("openings")["known"], values).fetchone()
            known = None if row is None else Known(*row)
            verdict = judge(known, opening.number, session, heard)
            if verdict != "nothing":
                sessions = [*([] if known is None else known.sessions), session][-_SESSIONS_KEPT:]
                values |= {"number": opening.number, "since": heard, "sessions": sessions}
                self._connection.execute(named("openings")["first" if known is None else "next"], values)
            return verdict
