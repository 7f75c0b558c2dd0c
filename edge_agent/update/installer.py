"""Root's part of an update: from a package in the inbox to a version that works, or back to the one before.

    building ── unpacked and checked, built, looked at ──▶ trial ── `current` swapped, restarted ──▶ all green again?
        │                                                    │                                          │ yes: done
        └── refused, or not built: done, nothing changed     └────────────── back ◀───── no, 10 minutes ┘

Each step is in the journal before it begins, so the next start goes on where a power cut ended it. This process is
always of the version that `good` leads to: an untried one never judges itself.
"""

from __future__ import annotations

import fcntl
import logging
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from msgspec.structs import replace

from contract.package import read_head
from contract.release import Fate, Manifest, PackageError, Told
from edge_agent.durable import point
from edge_agent.update import building, inbox
from edge_agent.update.errors import NotInstalled, Refused
from edge_agent.update.fitness import Here, here, no_room, room_needed, unfit
from edge_agent.update.journal import Journal, Notes
from edge_agent.update.judging import Judge, is_agents_word, is_road
from edge_agent.update.places import UNIT, Places, other
from edge_agent.update.running import run
from edge_agent.update.signature import verify

GREEN_S: Final = 600.0
POLL_S: Final = 15.0
LOOKS: Final = 3
LOOKS_PAUSE_S: Final = 10.0
MOST_TRIES: Final = 3
"""So often a step may be ended by a power cut: then it may be the step that ends the power."""
_SERVICE_S: Final = 180.0
_WHEELS: Final = "wheels"
_LOCK: Final = "lock"
"""Within the root folder; install.sh holds the same one."""
log = logging.getLogger(__name__)


class Means(NamedTuple):
    """What it works with besides the folders."""

    service: Sequence[str] = ("systemctl",)
    """Takes a verb (stop, start, restart), options, and the name of the unit."""
    green_s: float = GREEN_S
    poll_s: float = POLL_S
    looks_pause_s: float = LOOKS_PAUSE_S
    machine: Here = here()
    step: Callable[[str], None] = lambda _name: None
    """Hears of each step once it is on the disk; tests end the process there."""


class Installer:
    """Of one machine."""

    def __init__(self, places: Places, means: Means) -> None:
        self._places, self._means = places, means
        self._notes, self._judge = Notes(places.state), Judge(places)

    def run(self) -> Told | None:
        """Go on with what is under way, else install what waits; what came of it, or None if there was nothing."""
        self._places.state.mkdir(mode=0o755, parents=True, exist_ok=True)
        with _alone(self._places.root):
            journal = self._notes.read()
            if journal is None or journal.step == "building":
                journal = self._install(journal)
            if journal is not None and journal.step == "trial":
                journal = self._try(journal)
            if journal is not None and journal.step == "back":
                journal = self._go_back(journal)
            return self._end(journal) if journal is not None else None

    # -- building: nothing that runs is touched ------------------------------------------------------------------------

    def _install(self, interrupted: Journal | None) -> Journal | None:
        package = inbox.open_ready(self._places.inbox)
        if package is None:
            if interrupted is not None:
                self._notes.clear()
            return None
        with package:
            journal = self._note(self._begun(interrupted), "building")
            if journal.tries > MOST_TRIES:
                return self._over(journal, "failed", f"it was interrupted {MOST_TRIES} times while it was built")
            try:
                manifest = self._build(package, journal)
                journal = replace(journal, version=manifest.version)
                building.look(manifest, self._places, self._places.side(journal.target))
                return self._note(self._to_try(journal), "trial")
            except (Refused, PackageError) as error:
                return self._over(journal, "refused", str(error))
            except NotInstalled as error:
                return self._over(journal, "failed", str(error))
            except OSError as error:
                return self._over(journal, "failed", f"{error.filename or self._places.root}: {error.strerror}")

    def _begun(self, interrupted: Journal | None) -> Journal:
        if interrupted is not None:
            return replace(interrupted, tries=interrupted.tries + 1)
        source = self._places.side_of(self._places.current)
        if source is None:
            raise NotInstalled(f"{self._places.current} does not lead to a or b; run install.sh again")
        if self._places.side_of(self._places.good) != source:
            point(self._places.good, source)
            raise NotInstalled(f"{self._places.good} did not lead where current does, and does now; start this again")
        token = secrets.token_hex(8)
        return Journal(
            step="building",
            token=token,
            before=self._means.machine.version,
            source=source,
            target=other(source),
            tries=1,
        )

    def _build(self, package: BinaryIO, journal: Journal) -> Manifest:
        head = read_head(package)
        verify(self._places.key, head)
        manifest = head.manifest
        self._note(replace(journal, version=manifest.version), "verified")
        if reason := unfit(manifest, self._means.machine):
            raise Refused(reason)
        side = self._places.side(journal.target)
        shutil.rmtree(side, ignore_errors=True)  # the room of the version before last
        if reason := no_room(room_needed(manifest), _free(self._places.root), str(self._places.root)):
            raise Refused(reason)
        wheels = self._places.state / _WHEELS
        building.unpack(package, manifest, wheels)
        self._means.step("unpacked")
        building.build(manifest, wheels, side)
        shutil.rmtree(wheels)
        self._means.step("built")
        return manifest

    def _to_try(self, journal: Journal) -> Journal:
        """Before anything is swapped: what is well now, and that there is a way back for the outbox."""
        new, old = self._judge.outbox(journal.target), self._judge.outbox(journal.source)
        if new is None or old is None:
            raise NotInstalled("which outbox the new version writes cannot be found out")
        if new.back_to > old.schema:
            raise Refused(
                f"its outbox, schema {new.schema}, cannot be led back to schema {old.schema} of {journal.before}; "
                "install a version between the two first"
            )
        greens = self._judge.steady_greens(journal.source, LOOKS, self._means.looks_pause_s)
        return replace(journal, step="trial", greens=tuple(sorted(greens)), schema=old.schema, tries=0)

    # -- trial ---------------------------------------------------------------------------------------------------------

    def _try(self, journal: Journal) -> Journal:
        journal = self._note(replace(journal, tries=journal.tries + 1), "trying")
        if journal.tries > MOST_TRIES:
            return self._back(journal, f"it was interrupted {MOST_TRIES} times while it was tried")
        point(self._places.current, journal.target)
        self._means.step("swapped")
        self._service("restart")
        self._means.step("restarted")
        while missing := self._missing(journal):
            if not self._is_the_link(missing, journal):
                said = ", ".join(sorted(missing))
                return self._back(journal, f"within {self._means.green_s:.0f} s these were not well again: {said}")
            log.info("the version before does not reach the hub now, either: the trial goes on until one of them does")
            journal = self._note(replace(journal, tries=0), "waiting")  # it is not this version that ends the power
        return self._over(journal, "applied", "")

    def _missing(self, journal: Journal) -> frozenset[str]:
        """What was well before and is not again when the time is over; empty as soon as all is."""
        until = time.monotonic() + self._means.green_s
        while True:
            missing = self._not_well(journal)
            if not missing or time.monotonic() >= until:
                return missing
            log.info("not well yet: %s", ", ".join(sorted(missing)))
            time.sleep(self._means.poll_s)

    def _not_well(self, journal: Journal) -> frozenset[str]:
        if not self._judge.runs(journal.target, journal.version):
            return frozenset({f"the agent runs as {journal.version}"})
        greens = self._judge.greens(journal.target) if journal.greens else frozenset()
        return frozenset({"doctor"}) if greens is None else frozenset(journal.greens) - greens

    def _is_the_link(self, missing: frozenset[str], journal: Journal) -> bool:
        """Whether the version before would not find the way to the hub now, either: that says nothing of the new one.

        First its doctor looks beside the running agent. Where that finds every server, only who goes in himself learns
        whether the hub answers: for that the agent has to stop for a moment.
        """
        if not all(map(is_road, missing)):
            return False
        before = frozenset(filter(is_road, journal.greens))
        beside = self._judge.greens(journal.source)
        if beside is not None and any(not is_agents_word(check) for check in before - beside):
            return True
        self._service("stop")
        alone = self._judge.greens(journal.source)
        self._service("start")
        return alone is not None and bool(before - alone)

    def _back(self, journal: Journal, reason: str) -> Journal:
        log.warning("version %s goes back to %s: %s", journal.version, journal.before, reason)
        told = Told("went_back", journal.version, journal.before, reason)
        return self._note(replace(journal, step="back", told=told), "back")

    # -- the way back --------------------------------------------------------------------------------------------------

    def _go_back(self, journal: Journal) -> Journal:
        self._service("stop")
        self._means.step("stopped")
        told = journal.told or Told("went_back", journal.version, journal.before)
        if problem := self._judge.take_outbox_back(journal.target, journal.schema):
            log.error("the outbox could not be led back to schema %d: %s", journal.schema, problem)
            told = replace(told, reason=f"{told.reason}; outbox: {problem}")
        self._means.step("outbox led back")
        point(self._places.current, journal.source)
        self._means.step("swapped back")
        self._service("start")
        return self._note(replace(journal, step="done", told=told), "done")

    # -- the end -------------------------------------------------------------------------------------------------------

    def _over(self, journal: Journal, fate: Fate, reason: str) -> Journal:
        told = Told(fate, journal.version or "0.0.0", journal.before, reason)
        return self._note(replace(journal, step="done", told=told), "done")

    def _end(self, journal: Journal) -> Told:
        told = journal.told or Told("failed", journal.version, journal.before, "the journal does not say how it ended")
        if told.fate == "applied":
            point(self._places.good, journal.target)
            self._means.step("good")
        self._notes.add(journal.token, told)
        self._means.step("noted")
        inbox.drop_ready(self._places.inbox)
        shutil.rmtree(self._places.state / _WHEELS, ignore_errors=True)
        self._notes.clear()
        log.info("update: %s", told.detail())
        return told

    def _note(self, journal: Journal, step: str) -> Journal:
        self._notes.write(journal)
        self._means.step(step)
        return journal

    def _service(self, verb: str) -> None:
        """A start is not waited for: a version that hangs while it starts is what we look out for."""
        options = [] if verb == "stop" else ["--no-block"]
        ran = run([*self._means.service, verb, *options, UNIT], timeout_s=_SERVICE_S)
        if ran.code != 0:
            log.error("%s %s: %s", verb, UNIT, ran.said)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    handle = os.open(folder / _LOCK, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise NotInstalled("an installation or update is under way already; wait for its end") from error
        yield
    finally:
        os.close(handle)


def _free(folder: Path) -> int:
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize
