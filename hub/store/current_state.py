"""The newest of each screen and device, kept in the transaction that stores the events.

"Newest" needs no clock: of one stream the higher number, of two streams the one that is being appended to now.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final

import psycopg

from contract.events import AnyEvent, Play
from hub.ledger.rules import Decision, StreamKey
from hub.store.named import named

_FACTS: Final = ("listed", "reported", "rendering", "panel", "frame")
_PLAY: Final = ("screen", "player", "seq", "play_id", "content_ref", "content_sha256", "status")


def update_current_state(
    connection: psycopg.Connection, decision: Decision, ids: Mapping[StreamKey, tuple[int, int]], now_ms: int
) -> None:
    """Raise the current state to what this decision's live batches say."""
    devices: dict[int, int] = {}
    screens: dict[tuple[int, str, str], tuple[int, Play]] = {}
    for key, events, live in decision.rows:
        if live:
            device, stream = ids[key]
            devices[device] = max(devices.get(device, 0), events[-1].time)
            _newest(screens, device, stream, events)
    queries = named("state")
    if screens:
        connection.execute(queries["screens"], _screen_columns(screens))
    if devices:
        times = [moment(time) for time in devices.values()]
        connection.execute(queries["devices"], {"device": list(devices), "time": times, "stored_at": moment(now_ms)})


def moment(unix_ms: int) -> datetime:
    """Unix ms as a UTC datetime."""
    return datetime.fromtimestamp(unix_ms / 1000, UTC)


def _newest(
    screens: dict[tuple[int, str, str], tuple[int, Play]], device: int, stream: int, events: Iterable[AnyEvent]
) -> None:
    newest = {(event.screen, event.player): event for event in events if type(event) is Play}
    for (screen, player), play in newest.items():
        place = (device, screen, player)
        known = screens.get(place)
        if known is None or known[0] != stream or known[1].seq < play.seq:
            screens[place] = (stream, play)


def _screen_columns(screens: Mapping[tuple[int, str, str], tuple[int, Play]]) -> dict[str, list[object]]:
    plays = [play for _, play in screens.values()]
    columns: dict[str, list[object]] = {name: [getattr(play, name) for play in plays] for name in _PLAY}
    columns |= {name: [getattr(play.facts, name) for play in plays] for name in _FACTS}
    columns["device"] = [place[0] for place in screens]
    columns["stream"] = [stream for stream, _ in screens.values()]
    columns["time"] = [moment(play.time) for play in plays]
    return columns
