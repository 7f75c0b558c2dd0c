"""What happens on one screen, scene by scene: a seeded story without clock or I/O.

Time is short: a play takes seconds where a real one takes minutes, so that a demo of a minute shows everything.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from contract.events import PlayStatus, ScreenState
from edge_agent.observation import Content, ScreenPower, Showing, Trouble
from simulator.border import Device
from simulator.catalogue import Item, Unapproved, playlist, strangers

SCREEN: Final = "main"
PLAYERS: Final = {"kiosk": "chromium", "led": "mpv", "tv": "mpv", "loa": "mpv"}
_PLAY_MS: Final = (5_000, 30_000)
_TROUBLE_MS: Final = (4_000, 12_000)
_STRANGER, _STUCK, _FAILED, _DARK = 0.08, 0.03, 0.03, 0.02
"""Chances of a stranger, a stuck video, a failed load and a dark panel, per play."""


class Scene(Struct, frozen=True):
    """A stretch of time in which nothing changes. `turn` and `ended` are those of `Showing`."""

    lasts_ms: int
    turn: int
    content: Content | None
    rendering: bool | None = None
    ended: PlayStatus | None = None
    power: ScreenState | None = "active"
    """None: the device has no panel."""
    troubles: tuple[Trouble, ...] = ()
    unapproved: Unapproved | None = None

    def readings(self, device: Device, at_ms: int) -> list[Showing | ScreenPower]:
        """One look at it; the panel first, so that the player's look of the same moment settles its change."""
        player = PLAYERS[device.kind]
        reported = True if self.content is not None else None
        listed = None if device.kind == "kiosk" or self.content is None else self.unapproved is None
        showing = Showing(
            at_ms=at_ms,
            screen=SCREEN,
            player=player,
            content=self.content,
            turn=self.turn,
            listed=listed,
            reported=reported,
            rendering=self.rendering,
            ended=self.ended,
        )
        if self.power is None:
            return [showing]
        lit = None if self.power == "disconnected" else self.power == "active"
        return [ScreenPower(at_ms=at_ms, screen=SCREEN, state=self.power, panel_on=lit), showing]


def scenes(device: Device, seed: str) -> Iterator[Scene]:
    """The story of one device since a start of its player, without end; the same for the same seed."""
    chance = random.Random(f"{seed}/{device.name}/scenes")
    approved, foreign = playlist(device), strangers(device)
    chance.shuffle(approved)
    turn = 0
    while True:
        for item in approved:
            turn += 1
            shown = chance.choice(foreign) if chance.random() < _STRANGER else item
            yield from _play(device, shown, turn, chance)


def _play(device: Device, item: Item, turn: int, chance: random.Random) -> Iterator[Scene]:
    """One content's time on screen, and what goes wrong with it."""
    power: ScreenState | None = None if device.kind == "loa" else "active"
    lasts_ms = chance.randint(*_PLAY_MS)
    scene = Scene(lasts_ms, turn, item.content, rendering=True, power=power, unapproved=item.unapproved)
    kind = chance.random()
    if kind < _FAILED:
        yield _failed(device, scene, chance)
        return
    yield scene
    if kind < _FAILED + _STUCK:
        trouble = Trouble(code="page_hung" if device.kind == "kiosk" else "video_stuck", reason=item.content.ref)
        yield replace(
            scene, lasts_ms=chance.randint(*_TROUBLE_MS), rendering=False, troubles=(trouble,), unapproved=None
        )
    elif kind < _FAILED + _STUCK + _DARK and power is not None:
        state: ScreenState = chance.choice(("asleep", "disconnected"))
        troubles = (Trouble(code="screen_disconnected", reason=SCREEN),) if state == "disconnected" else ()
        yield replace(scene, lasts_ms=chance.randint(*_TROUBLE_MS), power=state, troubles=troubles, unapproved=None)


def _failed(device: Device, scene: Scene, chance: random.Random) -> Scene:
    code = "page_load_failed" if device.kind == "kiosk" else "media_failed"
    reason = (
        f"{scene.content.ref if scene.content else ''}: {chance.choice(('net::ERR_TIMED_OUT', 'unrecognized format'))}"
    )
    trouble = Trouble(code=code, reason=reason)
    return replace(
        scene, lasts_ms=chance.randint(*_TROUBLE_MS), content=None, rendering=None, troubles=(trouble,), unapproved=None
    )
