"""What visitors of a kiosk do, act by act: a seeded story without clock or I/O, in the words of the kiosk's page."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from edge_agent.page_messages import (
    End,
    Feedback,
    LanguageChosen,
    MediaPlay,
    MediaStop,
    PageView,
    QrShown,
    SearchUsed,
    Touch,
    VisitorMessage,
)
from simulator.border import Device
from simulator.catalogue import PAGES

_ALONE_MS: Final = (8_000, 60_000)
_READING_MS: Final = (1_500, 8_000)
_WALKS_AWAY: Final = 0.25


class Act(Struct, frozen=True):
    """After `wait_ms` the page says `messages`."""

    wait_ms: int
    messages: tuple[VisitorMessage, ...]


def visits(device: Device, seed: str) -> Iterator[Act]:
    """All that visitors do at one kiosk, without end; the same for the same seed."""
    chance = random.Random(f"{seed}/{device.name}/visits")
    while True:
        yield Act(chance.randint(*_ALONE_MS), (Touch(touched=True, target="home"),))
        for message in _visit(device, chance):
            yield Act(chance.randint(*_READING_MS), message)


def _visit(device: Device, chance: random.Random) -> Iterator[tuple[VisitorMessage, ...]]:
    neighbour = device.languages[-1]
    yield (LanguageChosen(language=chance.choice((neighbour, neighbour, "vi", "en")), touched=True),)
    for page in chance.sample(PAGES, chance.randint(1, 4)):
        yield (PageView(target=page, touched=True),)
        yield from _on_page(page, chance)
    if chance.random() > _WALKS_AWAY:
        yield (End(touched=True),)


def _on_page(page: str, chance: random.Random) -> Iterator[tuple[VisitorMessage, ...]]:
    if page == "van-hoa":
        yield (MediaPlay(target="hat-then", touched=True),)
        yield (MediaStop(target="hat-then", watched_ms=chance.randint(1_000, 8_000), ended=True),)
    elif page == "gop-y":
        yield (Feedback(rating=chance.choice((5, 5, 4, 4, 3, 2, 1)), touched=True),)
    elif chance.random() < 0.3:
        yield (chance.choice((SearchUsed(touched=True), QrShown(target=page, touched=True))),)
