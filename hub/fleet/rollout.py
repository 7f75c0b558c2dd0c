"""A roll-out of a version, wave by wave: who is next, when the next wave begins, and when it halts by itself. Pure.

A wave is done when every device of it has said how it ended, or is away: devices that are offline wait, and keep nobody
else waiting. After the last success of a wave it has to stay good for a while; then the next one begins.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple

from contract.release import Fate
from hub.errors import ConfigError

State = Literal["running", "halted", "stopped", "finished"]
MOST_STEPS: Final = 10
LASTS: Final = timedelta(days=7)
"""So long one command is good; a device that was away longer gets another."""
_STEP: Final = re.compile(r"(?P<number>[0-9]{1,6})(?P<percent>%?)\Z")
_WHOLE_PERCENT: Final = 100


class Rules(NamedTuple):
    """When it goes on and when it halts."""

    soak: timedelta
    halt_failures: int
    """So many devices on which it did not work halt it; in the first wave one does."""


class Member(NamedTuple):
    """One device of a roll-out."""

    device: str
    wave: int
    ordered: bool
    """It has been told, and that still holds."""
    online: bool
    fate: Fate | None = None
    ended_at: datetime | None = None


class Decision(NamedTuple):
    """What to do now."""

    order: tuple[str, ...] = ()
    """Devices to tell."""
    wave: int = 0
    state: State = "running"
    reason: str = ""


def steps_of(text: str) -> tuple[str, ...]:
    """Steps as people write them: `1,10%,100%`. ConfigError if they are none."""
    steps = tuple(part.strip() for part in text.split(","))
    if not 1 <= len(steps) <= MOST_STEPS or not all(_STEP.match(step) for step in steps):
        raise ConfigError(f"--step: {text!r} is no list of numbers and percents, as 1,10%,100%")
    if steps[-1] != "100%":
        raise ConfigError(f"--step: {text!r} does not end with 100%, so that some devices would never get it")
    return steps


def waves(devices: Sequence[str], steps: Sequence[str], seed: str) -> dict[str, int]:
    """Which wave each device is of. `seed` shuffles, the same way each time: neighbours are not all in one wave."""
    shuffled = sorted(devices, key=lambda device: hashlib.sha256(f"{seed} {device}".encode()).digest())
    found: dict[str, int] = {}
    for wave, step in enumerate(steps):
        for device in shuffled[: _count(step, len(shuffled))]:
            found.setdefault(device, wave)
    return found


def decide(members: Sequence[Member], wave: int, rules: Rules, now: datetime) -> Decision:
    """What to do of a roll-out that runs, by its devices that did not run the version already: those prove nothing."""
    failed = [member.device for member in members if member.fate not in (None, "applied")]
    most = 1 if wave == 0 else rules.halt_failures
    if len(failed) >= most:
        return Decision(wave=wave, state="halted", reason=f"it did not work on: {', '.join(sorted(failed)[:10])}")
    last = max((member.wave for member in members), default=wave)
    if _is_done(members, wave, rules, now) and wave < last:
        wave += 1
    if all(member.fate is not None for member in members):
        return Decision(wave=wave, state="finished")
    order = [member.device for member in members if member.wave <= wave and member.fate is None and not member.ordered]
    return Decision(tuple(order), wave)


def _is_done(members: Sequence[Member], wave: int, rules: Rules, now: datetime) -> bool:
    reached = [member for member in members if member.wave <= wave]
    if any(member.fate is None and (member.online or not member.ordered) for member in reached):
        return False
    ended = [member.ended_at for member in reached if member.fate == "applied" and member.ended_at is not None]
    return bool(ended) and now - max(ended) >= rules.soak


def _count(step: str, devices: int) -> int:
    match = _STEP.match(step)
    if match is None:
        raise ConfigError(f"{step!r} is no step")
    number = int(match["number"])
    return math.ceil(devices * min(number, _WHOLE_PERCENT) / _WHOLE_PERCENT) if match["percent"] else number
