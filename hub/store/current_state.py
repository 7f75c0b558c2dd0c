"""The newest of each screen and device, kept in the transaction that stores the events.

"Newest" needs no clock: of one stream the higher number, of two streams the one that is being appended to now.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import psycopg

from contract.events import AnyEvent, Play
from hub.ledger.rules import Decision, StreamKey
from hub.store.arrays import flags, numbers, texts
from hub.store.contents import Contents
from hub.store.identities import StreamIds
from hub.store.moment import moment
from hub.store.named import named


def update_current_state(
    connection: psycopg.Connection,
    decision: Decision,
    ids: Mapping[StreamKey, StreamIds],
    contents: Contents,
    now_ms: int,
) -> None:
    """Raise the current state to what this decision's live batches say."""
    devices: dict[int, int] = {}
    screens: dict[tuple[int, str, str], tuple[int, Play]] = {}
    for key, events, live in decision.rows:
        if live:
            device, stream = ids[key].device, ids[key].stream
            devices[device] = max(devices.get(device, 0), events[-1].time)
            _newest(screens, device, stream, events)
    queries = named("state")
    if screens:
        connection.execute(queries["screens"], _screen_columns(screens, contents))
    if devices:
        arrays = {"device": numbers(devices), "time": numbers(devices.values())}
        connection.execute(queries["devices"], arrays | {"stored_at": moment(now_ms)})


def _newest(
    screens: dict[tuple[int, str, str], tuple[int, Play]], device: int, stream: int, events: Iterable[AnyEvent]
) -> None:
    newest = {(event.screen, event.player): event for event in events if type(event) is Play}
    for (screen, player), play in newest.items():
        place = (device, screen, player)
        known = screens.get(place)
        if known is None or known[0] != stream or known[1].seq < play.seq:
            screens[place] = (stream, play)


def _screen_columns(screens: Mapping[tuple[int, str, str], tuple[int, Play]], contents: Contents) -> dict[str, str]:
    plays = [play for _, play in screens.values()]
    found = {name: numbers(getattr(play, name) for play in plays) for name in ("seq", "play_id", "time")}
    found |= {name: texts(getattr(play, name) for play in plays) for name in ("screen", "player", "status")}
    found |= {name: flags(getattr(play.facts, name) for play in plays) for name in ("listed", "reported", "rendering")}
    found |= {name: texts(getattr(play.facts, name) for play in plays) for name in ("panel", "frame")}
    found["content"] = numbers(contents.id(play.content_ref, play.content_sha256) for play in plays)
    found["device"] = numbers(place[0] for place in screens)
    found["stream"] = numbers(stream for stream, _ in screens.values())
    return found
