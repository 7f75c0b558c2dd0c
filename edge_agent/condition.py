"""The agent's condition in words, for `ttdn-agent status` and the phone's page. Pure.

What the status file of a running agent says, and what the files say: outbox and certificate, which can be looked at
without an agent, too.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from typing import Final, NamedTuple

from edge_agent import status_file, words
from edge_agent.outbox.look import Held
from edge_agent.status_file import AgentStatus, OnScreen
from edge_agent.words import Language

VIETNAM: Final = timezone(timedelta(hours=7))
_KNOWN: Final = {True: "@yes", False: "@no", None: "@unknown"}
_SEEN: Final = {"on": "@on", "off": "@off", "match": "@yes", "mismatch": "@no", "unknown": "@unknown"}
_DAY_S: Final = 86_400


class Problem(NamedTuple):
    """A key of `words.PLAIN` and its facts."""

    said: str
    facts: Mapping[str, object]

    def text(self, language: Language) -> str:
        """In words."""
        return words.plain(language, self.said, **self.facts)


class Moment(NamedTuple):
    """Now, on both clocks, to tell moments of CLOCK_BOOTTIME as times of day."""

    boot_ms: int
    wall_ms: int

    def wall(self, boot_ms: int) -> int:
        """Unix ms of a moment of CLOCK_BOOTTIME, by the machine's clock of now."""
        return self.wall_ms - (self.boot_ms - boot_ms)


def problems(status: AgentStatus, age_s: float) -> list[Problem]:
    """What does not work right now, by the agent's own word."""
    found = []
    if age_s > status_file.STALE_S:
        found.append(Problem("problem.silent", {"seconds": int(age_s)}))
    if status.queue.full:
        found.append(Problem("problem.full", {"refused": status.queue.refused}))
    if status.dropped:
        found.append(Problem("problem.dropped", {"dropped": status.dropped}))
    if not status.connected:
        found.append(Problem("problem.offline", {"reason": status.last_error or "-"}))
    found += [
        Problem("problem.probe", {"probe": name, "error": error}) for name, error in status.probes.items() if error
    ]
    found += [Problem("problem.fault", {"code": code}) for code in status.faults if code != "probe_failed"]
    return found


def running(status: AgentStatus, now: Moment, language: Language) -> Iterator[str]:
    """Lines on an agent that runs: itself, its way to the hub, what is on screen."""
    yield words.plain(language, "status.device", device=status.device, version=status.version, pid=status.pid)
    since = time_text(now.wall(status.since_ms), now.wall_ms)
    way = "online" if status.online else "unanswered" if status.connected else "offline"
    yield words.plain(language, f"status.{way}", since=since)
    if status.receipt_ms is None:
        yield words.plain(language, "status.no_receipt")
    else:
        ago = span_text((now.boot_ms - status.receipt_ms) // 1000, language)
        yield words.plain(language, "status.receipt", ago=ago, rtt_ms="-" if status.rtt_ms is None else status.rtt_ms)
    yield from _screens(status.on_screen, now, language)
    clock = words.plain(language, f"status.clock.{status.clock}")
    yield words.plain(language, "status.clock", clock=clock)
    yield words.plain(language, "status.probes", probes=", ".join(status.probes) or "-")
    yield from _set_by_hub(status, language)


def _set_by_hub(status: AgentStatus, language: Language) -> Iterator[str]:
    """What the hub has set, if anything, and what the line has cost, if that is known."""
    if status.config:
        hours = {None: "status.hours", True: "status.open", False: "status.closed"}[status.is_open]
        yield words.plain(language, "status.set", revision=status.config, hours=words.plain(language, hours))
    used = f"{status.month_bytes / 1e6:.1f}"
    if status.budget_bytes is not None:
        yield words.plain(language, "status.data_of", used=used, budget=f"{status.budget_bytes / 1e6:.1f}")
    elif status.month_bytes:
        yield words.plain(language, "status.data", used=used)


def files(
    held: Held | None, status: AgentStatus | None, certificate_ends_ms: int | None, now: Moment, language: Language
) -> Iterator[str]:
    """Lines on what can be known without an agent, too; a running one knows better what waits.

    `held` is None where the outbox cannot be read: then only a running agent knows.
    """
    yield from _waiting(held, status, now, language)
    if held is not None and held.lost:
        why = ", ".join(f"{reason} {count}" for reason, count in sorted(held.lost.items()))
        yield words.plain(language, "status.losses", count=sum(held.lost.values()), why=why)
    elif held is not None:
        yield words.plain(language, "status.no_losses")
    if certificate_ends_ms is None:
        yield words.plain(language, "status.no_certificate")
    else:
        until = _day(certificate_ends_ms)
        days = (certificate_ends_ms - now.wall_ms) // (1000 * _DAY_S)
        yield words.plain(language, "status.certificate", until=until, days=days)
    yield from _renewal(status, language)


def _waiting(held: Held | None, status: AgentStatus | None, now: Moment, language: Language) -> Iterator[str]:
    if status is not None:
        waiting, oldest_s = status.queue.events, status.queue.oldest_s
    elif held is not None:
        waiting = held.waiting
        oldest_s = 0 if held.oldest_ms is None else max(0, now.wall_ms - held.oldest_ms) // 1000
    else:
        return
    if waiting:
        yield words.plain(language, "status.waiting", events=waiting, oldest=span_text(oldest_s, language))
    else:
        yield words.plain(language, "status.nothing_waits")


def _renewal(status: AgentStatus | None, language: Language) -> Iterator[str]:
    if status is None or status.certificate is None:
        return
    yield words.plain(language, "status.renewal", since=_day(status.certificate.renew_from_ms))
    if status.certificate.last_error:
        yield words.plain(language, "status.renewal_failed", reason=status.certificate.last_error)


def _day(unix_ms: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(unix_ms / 1000))


def _screens(shown: list[OnScreen], now: Moment, language: Language) -> Iterator[str]:
    if not shown:
        yield words.plain(language, "status.no_player")
    for one in shown:
        if one.content is None:
            yield words.plain(language, "status.nothing", screen=one.screen, player=one.player)
            continue
        since = time_text(now.wall(one.since_ms), now.wall_ms)
        yield words.plain(language, "status.screen", screen=one.screen, content=one.content, since=since)
        facts = one.facts
        yield words.plain(
            language,
            "status.facts",
            listed=_KNOWN[facts.listed],
            reported=_KNOWN[facts.reported],
            rendering=_KNOWN[facts.rendering],
            panel=_SEEN[facts.panel],
            frame=_SEEN[facts.frame],
        )


def time_text(wall_ms: int, now_ms: int) -> str:
    """A moment for people, in Vietnam's time: today's by the clock, others with their day."""
    moment, now = (datetime.fromtimestamp(at / 1000, VIETNAM) for at in (wall_ms, now_ms))
    return moment.strftime("%H:%M:%S" if moment.date() == now.date() else "%d/%m/%Y %H:%M")


def span_text(seconds: int, language: Language) -> str:
    """A length of time in its largest sensible unit."""
    seconds = max(0, seconds)
    for unit, size in ("days", _DAY_S), ("hours", 3600), ("minutes", 60):
        if seconds >= 2 * size:
            return words.plain(language, f"ago.{unit}", count=seconds // size)
    return words.plain(language, "ago.seconds", count=seconds)
