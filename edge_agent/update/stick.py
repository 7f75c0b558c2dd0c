"""A package on a stick at boot: a kiosk without a link is updated by who puts a stick in and switches it off and on.

What came of it stands in `ttdn-ket-qua.txt` beside the package, at the next boot with the same stick. A version that
did not work here is not tried again by itself: each try stops what the kiosk shows for minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from contract.release import Manifest, Told
from edge_agent import durable
from edge_agent.identity.first_boot import RESULT
from edge_agent.update import texts
from edge_agent.update.inbox import Found
from edge_agent.update.journal import Result

_HEAD: Final = "TTĐN: CẬP NHẬT / UPDATE"
_MAX_BYTES: Final = 64 * 1024


def ended(manifest: Manifest, results: Sequence[Result]) -> Told | None:
    """How a version ended here that worked, or that is not to be tried again; None if it is to be tried."""
    for result in reversed(results):
        if result.told.version == manifest.version:
            return result.told if result.told.fate != "refused" else None
    return None


def choose(found: Sequence[Found]) -> Found | None:
    """The newest that fits this machine; without one the newest of all, to say why it does not fit."""
    return max(found, key=lambda one: (not one.unfit, one.number, one.file), default=None)


def at_boot(
    found: Sequence[Found], results: Sequence[Result], take: Callable[[Path], str], say: Callable[[str], None]
) -> bool:
    """Hand the right package over, and say what is; False if it could not be. `take` returns why not, or nothing."""
    chosen = choose(found)
    if chosen is None:
        return True
    well, said = _dealt_with(chosen, results, take)
    say(said)
    try:
        _write(chosen.file.with_name(RESULT), said)
    except OSError as error:  # a stick that is write-protected updates, too
        say(f"{chosen.file.with_name(RESULT)}: {error.strerror}")
    return well


def _dealt_with(chosen: Found, results: Sequence[Result], take: Callable[[Path], str]) -> tuple[bool, str]:
    told = ended(chosen.manifest, results)
    if told is not None:
        return True, texts.told_in_words(told)
    if chosen.unfit:
        return True, texts.UNFIT.format(file=chosen.file.name, reason=chosen.unfit)
    if reason := take(chosen.file):
        return False, texts.NOT_TAKEN.format(file=chosen.file.name, reason=reason)
    return True, texts.TAKEN_FROM_STICK.format(version=chosen.manifest.version)


def _write(file: Path, said: str) -> None:
    """Below what the enrolment says there, in place of what an earlier update said."""
    before = ""
    if file.exists() and file.stat().st_size <= _MAX_BYTES:
        before = file.read_bytes().decode("utf-8-sig", errors="replace").replace("\r\n", "\n").partition(_HEAD)[0]
    text = f"{before.rstrip()}\n\n{_HEAD}\n{said}\n".lstrip()
    durable.replace_file(file, text.replace("\n", "\r\n").encode("utf-8-sig"))
