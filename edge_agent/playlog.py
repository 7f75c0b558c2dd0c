"""From looks at players and screens to `play` and `screen` events. Pure: no clock, no I/O, no threads.

A look holds until the next one, so time is told only as far as the latest look: a play's untold time begins at its last
slice and is settled by the next look that cuts it. If the player is not looked at for three looks, the time since the
last one is told as unknown, and after `unseen_s` the play ends. A panel that changes between two looks waits for the
second of them, for the same reason. What a look said of the panel holds for three looks of the screen.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from typing import Annotated, Final, NamedTuple

from msgspec import Meta, Struct

from contract.events import UNNUMBERED, Facts, Fault, Panel, Play, PlayStatus, Screen
from edge_agent.draft import UNSTAMPED, Draft
from edge_agent.flapping import MINUTE_MS, FlapGuard
from edge_agent.observation import Content, ScreenPower, Showing

LOOKS: Final = 3
"""So many looks may fail before what they would have seen becomes unknown."""
MIN_STALE_MS: Final = 5_000
"""Never unknown sooner than this: one look of a busy Raspberry Pi can take seconds."""
MAX_LOOK_S: Final = 600.0
FLAPPING_AGAIN_MS: Final = 60 * MINUTE_MS
"""A player that keeps flapping, or flaps anew, is reported at most this often."""
_COUNTER_BITS: Final = 20


class PlaylogSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How plays are cut into slices."""

    slice_s: Annotated[int, Meta(ge=10, le=3_600, description="Seconds between two slices of a play.")] = 300
    unseen_s: Annotated[
        int, Meta(ge=5, le=300, description="Seconds after which a play whose player is not seen has ended.")
    ] = 15
    flapping_cuts: Annotated[
        int, Meta(ge=4, le=600, description="Changes of facts a minute beyond which they are told at their weakest.")
    ] = 12


def play_ids(random_bits: Callable[[int], int] = secrets.randbits) -> Callable[[], int]:
    """A source of play ids within 1..2**52-1: a random start, then consecutive numbers, which the hub stores small.

    A device's ids are unique by the random 32 bits; a new start is taken once 2**20 numbers are used up.
    """
    return _numbers(random_bits).__next__


def _numbers(random_bits: Callable[[int], int]) -> Iterator[int]:
    while True:
        start = random_bits(32) << _COUNTER_BITS
        yield from range(start + 1, start + (1 << _COUNTER_BITS))


class _Play:
    """One running play. `told_ms` is the end of its last slice; `facts` are told of the time since."""

    def __init__(
        self, look: Showing, content: Content, play_id: int, at_ms: int, facts: Facts, guard: FlapGuard
    ) -> None:
        self.play_id, self.screen, self.player = play_id, look.screen, look.player
        self.content, self.turn = content, look.turn
        self.told_ms, self.facts = at_ms, facts
        self.seen = facts
        self.guard = guard
        self.began_ms = at_ms
        self._slices = 0

    def slice(self, at_ms: int, status: PlayStatus = "running") -> Draft:
        """The next slice: the time since the last one, under the facts told of it."""
        event = Play(
            seq=UNNUMBERED,
            time=UNSTAMPED,
            play_id=self.play_id,
            slice=self._slices,
            content_ref=self.content.ref,
            content_sha256=self.content.sha256,
            screen=self.screen,
            player=self.player,
            duration_ms=at_ms - self.told_ms,
            status=status,
            facts=self.facts,
        )
        self._slices, self.told_ms = self._slices + 1, at_ms
        return Draft(at_ms, event)

    def turn_to(self, at_ms: int, facts: Facts, *, blind: bool = False) -> list[Draft]:
        """From `at_ms` on these facts hold; `blind` if that is because nobody looks."""
        # A panel is found unknown after the fact; what is told stays told.
        at_ms = max(at_ms, self.told_ms)
        if facts != self.seen:
            self.guard.note(at_ms)
            self.seen = facts
        return self._cut(at_ms, self.guard.allowed(at_ms, facts, self.facts, blind=blind), self.content)

    def learn(self, at_ms: int, content: Content) -> list[Draft]:
        """The content's hash has become known while it plays."""
        known = Content(content.ref, content.sha256 or self.content.sha256)
        return self._cut(at_ms, self.facts, known)

    def continues(self, look: Showing) -> bool:
        """Whether the look still sees this play: the same content, not begun anew, its bytes not known to differ."""
        content = look.content
        if content is None or content.ref != self.content.ref or look.turn > self.turn:
            return False
        return content.sha256 is None or self.content.sha256 is None or content.sha256 == self.content.sha256

    def _cut(self, at_ms: int, facts: Facts, content: Content) -> list[Draft]:
        if facts == self.facts and content == self.content:
            return []
        closed = [self.slice(at_ms)] if at_ms > self.told_ms else []
        self.facts, self.content = facts, content
        return [*closed, self.slice(at_ms)]


class NowShown(NamedTuple):
    """What a player shows as of its last look: nothing of its own where `content` is None."""

    screen: str
    player: str
    content: Content | None
    facts: Facts
    since_ms: int


class _Track:
    """One player on one screen: at most one play at a time."""

    def __init__(self, settings: PlaylogSettings, next_id: Callable[[], int]) -> None:
        self._settings, self._next_id = settings, next_id
        self._play: _Play | None = None
        self._panel: Panel = "unknown"
        self._panels_ahead: list[tuple[int, Panel]] = []
        self._blind = False
        self._seen_ms = 0
        self._stale_ms = MIN_STALE_MS
        self._flapping_told_ms: int | None = None

    def look(self, look: Showing, look_s: float) -> list[Draft]:
        """The player was seen."""
        drafts = self.age(look.at_ms)
        at_ms = self._clamped(look.at_ms)
        drafts += self._settle_panels(at_ms)
        drafts += self._take(look, at_ms)
        self._seen_ms, self._stale_ms, self._blind = at_ms, stale_ms(look_s), False
        return drafts

    def age(self, now_ms: int) -> list[Draft]:
        """Tell as unknown what nobody has seen since the last look, and end the play once that is too long."""
        play = self._play
        if play is None or now_ms - self._seen_ms <= self._stale_ms:
            return []
        drafts: list[Draft] = []
        if not self._blind:
            self._blind = True
            drafts += self._turn_to(play, self._seen_ms, Facts(panel=self._panel))
        end_ms = self._seen_ms + max(self._settings.unseen_s * 1000, self._stale_ms)
        drafts += self._settle_panels(min(now_ms, end_ms))
        return drafts + (self._end(end_ms, "interrupted") if now_ms >= end_ms else [])

    def turn_panel(self, at_ms: int, panel: Panel) -> list[Draft]:
        """The panel has changed; told at once where the time up to it is told, else with the next look."""
        drafts = self.age(at_ms)
        self._panels_ahead.append((at_ms, panel))
        return drafts + self._settle_panels(at_ms if self._play is None or self._blind else self._seen_ms)

    def shown(self) -> tuple[Content | None, Facts, int]:
        """Content, facts and beginning of the play that runs."""
        play = self._play
        return (None, Facts(), 0) if play is None else (play.content, play.facts, play.began_ms)

    def stop(self, now_ms: int) -> list[Draft]:
        """Nobody will look again. The play is told up to the last look, and that nobody saw its end."""
        drafts = self.age(now_ms)
        at_ms = self._clamped(now_ms if self._blind else self._seen_ms)
        return drafts + (self._end(at_ms, "interrupted") if self._play else [])

    def _clamped(self, at_ms: int) -> int:
        """`at_ms`, or the latest moment already told or seen if that is later."""
        return max(at_ms, self._seen_ms, self._play.told_ms if self._play else 0)

    def _take(self, look: Showing, at_ms: int) -> list[Draft]:
        drafts: list[Draft] = []
        if self._play and not self._play.continues(look):
            drafts += self._end(at_ms, self._final(look))
        if look.content is None:
            return drafts
        facts = Facts(listed=look.listed, reported=look.reported, rendering=look.rendering, panel=self._panel)
        if self._play is None:
            return drafts + self._begin(look, look.content, at_ms, facts)
        return drafts + self._go_on(self._play, look, look.content, at_ms, facts)

    def _begin(self, look: Showing, content: Content, at_ms: int, facts: Facts) -> list[Draft]:
        guard = FlapGuard(self._settings.flapping_cuts)
        self._play = _Play(look, content, self._next_id(), at_ms, facts, guard)
        return [self._play.slice(at_ms)]

    def _go_on(self, play: _Play, look: Showing, content: Content, at_ms: int, facts: Facts) -> list[Draft]:
        play.turn = look.turn
        self._blind = False
        drafts = self._turn_to(play, at_ms, facts) + play.learn(at_ms, content)
        if at_ms - play.told_ms >= self._settings.slice_s * 1000:
            drafts.append(play.slice(at_ms))
        return drafts

    def _turn_to(self, play: _Play, at_ms: int, facts: Facts) -> list[Draft]:
        was_flapping = play.guard.flapping
        drafts = play.turn_to(at_ms, facts, blind=self._blind)
        if not play.guard.flapping or was_flapping:
            return drafts
        return drafts + self._tell_flapping(play, max(at_ms, play.told_ms))

    def _tell_flapping(self, play: _Play, at_ms: int) -> list[Draft]:
        if self._flapping_told_ms is not None and at_ms - self._flapping_told_ms < FLAPPING_AGAIN_MS:
            return []
        self._flapping_told_ms = at_ms
        reason = f"more than {self._settings.flapping_cuts} changes in a minute on {play.screen}: {play.content.ref}"
        fault = Fault(seq=UNNUMBERED, time=UNSTAMPED, code="flapping", reason=reason[:512], component=play.player)
        return [Draft(at_ms, fault)]

    def _settle_panels(self, until_ms: int) -> list[Draft]:
        drafts: list[Draft] = []
        while self._panels_ahead and self._panels_ahead[0][0] <= until_ms:
            at_ms, self._panel = self._panels_ahead.pop(0)
            if self._play:
                seen = self._play.seen
                facts = Facts(listed=seen.listed, reported=seen.reported, rendering=seen.rendering, panel=self._panel)
                drafts += self._turn_to(self._play, at_ms, facts)
        return drafts

    def _final(self, look: Showing) -> PlayStatus:
        """How the play ended: as the player told; well if it gave way to another; unseen, nobody knows."""
        if look.ended is not None and look.ended != "running":
            return look.ended
        return "interrupted" if self._blind else "success"

    def _end(self, at_ms: int, status: PlayStatus) -> list[Draft]:
        play, self._play = self._play, None
        self._blind = False
        if play is None:
            return []
        # Later looks begin no earlier than this end, so that plays of one player never overlap.
        self._seen_ms = max(at_ms, play.told_ms)
        return [play.slice(self._seen_ms, status)]


class _Screen:
    """What is known of one screen's power."""

    def __init__(self) -> None:
        self.last: ScreenPower | None = None
        self.panel: Panel = "unknown"
        self.since_ms = 0
        self._seen_ms = 0
        self._stale_ms = MIN_STALE_MS

    def look(self, power: ScreenPower, look_s: float) -> list[Draft]:
        """The event of this look, if it differs from the last one."""
        at_ms = max(power.at_ms, self._seen_ms)
        before, self.last = self.last, power
        self._seen_ms, self._stale_ms = at_ms, stale_ms(look_s)
        if before is not None and _told_of(before) == _told_of(power):
            return []
        event = Screen(
            seq=UNNUMBERED,
            time=UNSTAMPED,
            screen=power.screen,
            state=power.state,
            brightness=power.brightness,
            volume=power.volume,
        )
        return [Draft(at_ms, event)]

    def turned_to(self, panel: Panel) -> bool:
        """The panel as of the last look; whether that is a change."""
        if panel == self.panel:
            return False
        self.panel, self.since_ms = panel, self._seen_ms
        return True

    def is_stale(self, now_ms: int) -> bool:
        """Whether the last look is too old to say anything about now."""
        return now_ms - self._seen_ms > self._stale_ms


class Playlog:
    """All players and screens of a kiosk, independent of each other.

    Moments are CLOCK_BOOTTIME in ms; one that lies before what was already told of a player or screen counts as that
    moment. Drafts come in the order in which they are to be appended. Not safe for use by several threads.
    """

    def __init__(self, next_id: Callable[[], int], settings: PlaylogSettings | None = None) -> None:
        self._next_id, self._settings = next_id, settings or PlaylogSettings()
        self._tracks: dict[tuple[str, str], _Track] = {}
        self._screens: dict[str, _Screen] = {}

    def see(self, reading: Showing | ScreenPower, *, look_s: float = 2.0) -> list[Draft]:
        """Take one look. `look_s` is the longest time between two looks of its probe (`Probe.interval_s`)."""
        if isinstance(reading, ScreenPower):
            return self._see_power(reading, look_s)
        drafts = self._age_screen(reading.screen, reading.at_ms)
        return drafts + self._track(reading.screen, reading.player).look(reading, look_s)

    def tick(self, now_ms: int) -> list[Draft]:
        """Time passes without looks; to be called every second or so."""
        drafts: list[Draft] = []
        for screen in self._screens:
            drafts += self._age_screen(screen, now_ms)
        for track in self._tracks.values():
            drafts += track.age(now_ms)
        return drafts

    def stop(self, now_ms: int) -> list[Draft]:
        """End all plays as `interrupted`: the agent looks no more."""
        drafts = self.tick(now_ms)
        for track in self._tracks.values():
            drafts += track.stop(now_ms)
        return drafts

    def shown(self) -> list[NowShown]:
        """What every player shows, by screen."""
        return [
            NowShown(screen, player, *self._tracks[screen, player].shown()) for screen, player in sorted(self._tracks)
        ]

    def _see_power(self, power: ScreenPower, look_s: float) -> list[Draft]:
        drafts = self._age_screen(power.screen, power.at_ms)
        screen = self._screens.setdefault(power.screen, _Screen())
        drafts += screen.look(power, look_s)
        return drafts + self._turn_panel(power.screen, screen, _panel(power))

    def _age_screen(self, name: str, now_ms: int) -> list[Draft]:
        screen = self._screens.get(name)
        if screen is None or not screen.is_stale(now_ms):
            return []
        return self._turn_panel(name, screen, "unknown")

    def _turn_panel(self, name: str, screen: _Screen, panel: Panel) -> list[Draft]:
        drafts: list[Draft] = []
        if screen.turned_to(panel):
            for (on_screen, _), track in self._tracks.items():
                drafts += track.turn_panel(screen.since_ms, panel) if on_screen == name else []
        return drafts

    def _track(self, screen: str, player: str) -> _Track:
        track = self._tracks.get((screen, player))
        if track is None:
            track = self._tracks[screen, player] = _Track(self._settings, self._next_id)
            if known := self._screens.get(screen):
                track.turn_panel(known.since_ms, known.panel)
        return track


def stale_ms(look_s: float) -> int:
    """How long a look says something about the time after it, ms, where looks are at most `look_s` apart."""
    return max(round(min(look_s, MAX_LOOK_S) * 1000) * LOOKS, MIN_STALE_MS)


def _panel(power: ScreenPower) -> Panel:
    if power.panel_on is None:
        return "unknown"
    return "on" if power.panel_on else "off"


def _told_of(power: ScreenPower) -> tuple[object, ...]:
    return power.state, power.brightness, power.volume
