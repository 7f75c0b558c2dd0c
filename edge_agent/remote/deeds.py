"""What each command does. A new command is one function here and one line in `deeds`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from contract.command import Command
from contract.release import Offer
from edge_agent.remote.budget import Step
from edge_agent.remote.commands import Answer, Deed
from edge_agent.remote.hand import IDENTIFY_S, Hand, HandError


class Surroundings(NamedTuple):
    """What deeds need of the agent."""

    device: str
    hands: Sequence[Hand]
    send_now: Callable[[], None]
    data: Callable[[], Step]
    is_visited: Callable[[], bool]
    """Whether a visitor uses the kiosk now."""
    update: Callable[[str, Sequence[Offer]], str] = lambda _version, _offers: "this agent installs nothing"
    """Fetch and install one of these packages; why not, or nothing. OSError: it could not be noted."""


def deeds(agent: Surroundings) -> dict[str, Deed]:
    """Every command that this agent knows."""
    return {
        "identify": lambda command: _identify(agent, command),
        "snapshot": lambda _: _snapshot(agent),
        "restart-player": lambda _: _restart(agent),
        "send-now": lambda _: _send_now(agent),
        "update": lambda command: _update(agent, command),
    }


def _identify(agent: Surroundings, command: Command) -> Answer:
    lines = [line for line in (command.args.site, agent.device) if line]
    return _by_all(agent, lambda hand: hand.identify(lines), f"shown for {IDENTIFY_S} s by")


def _snapshot(agent: Surroundings) -> Answer:
    if agent.data() != "plenty":
        return Answer("refused", "the month's data is nearly or all used; no pictures until the next month")
    if agent.is_visited():
        return Answer("refused", "a visitor is using the kiosk, and what they do is theirs; try again later")
    failures = []
    for hand in agent.hands:
        try:
            return Answer("done", f"by {hand.name}", hand.snapshot())
        except HandError as error:
            failures.append(str(error))
    return Answer("failed", "; ".join(failures)) if failures else _without_player()


def _restart(agent: Surroundings) -> Answer:
    told = "was asked to end, and its supervisor is to start it again; the next reports tell whether it did:"
    return _by_all(agent, lambda hand: hand.restart(), told)


def _send_now(agent: Surroundings) -> Answer:
    agent.send_now()
    return Answer("done", "hello is said and what waits is sent")


def _update(agent: Surroundings, command: Command) -> Answer:
    """The order is taken; how it ends, a lifecycle event tells, be it days later."""
    try:
        reason = agent.update(command.args.version, command.args.packages)
    except OSError as error:
        return Answer("failed", f"the order cannot be noted: {error.strerror}")
    return Answer("refused", reason) if reason else Answer("done", f"version {command.args.version} will be fetched")


def _by_all(agent: Surroundings, do: Callable[[Hand], None], told: str) -> Answer:
    """Done if any player did it; who did not is told, too."""
    by, failures = [], []
    for hand in agent.hands:
        try:
            do(hand)
            by.append(hand.name)
        except HandError as error:
            failures.append(str(error))
    if not by:
        return Answer("failed", "; ".join(failures)) if failures else _without_player()
    return Answer("done", "; ".join([f"{told} {', '.join(by)}", *failures]))


def _without_player() -> Answer:
    return Answer("refused", "no player that could do it is configured: [probes.chromium] or [probes.mpv]")
