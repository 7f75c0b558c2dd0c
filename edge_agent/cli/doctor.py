"""`ttdn-agent doctor`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, Final, TextIO

import msgspec

from edge_agent import words
from edge_agent.cli import language
from edge_agent.cli.exits import OK, TROUBLE
from edge_agent.cli.output import say
from edge_agent.config import config_file
from edge_agent.doctor import report
from edge_agent.doctor.examination import examine
from edge_agent.doctor.finding import Finding
from edge_agent.doctor.on_screen import CONSOLE, NotShown, Picture, open_console, show
from edge_agent.doctor.owner import become_owner
from edge_agent.doctor.place import Place, find_place
from edge_agent.doctor.registry import CHECKS
from edge_agent.words import Language

_EPILOG: Final = """exit codes: 0 nothing fails (there may be warnings); 1 something fails (the text says what to do);
2 wrong use"""


def add(commands: Any) -> None:
    """The command's parser."""
    doctor = commands.add_parser(
        "doctor", help="check everything on this kiosk and say what to do", epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    doctor.add_argument("--json", action="store_true", help="for programs: checks with stable ids")
    doctor.add_argument("--on-screen", action="store_true", help="also show it on the kiosk's own display")
    doctor.add_argument("--seconds", type=_seconds, default=60, help="how long on the display (default: 60)")
    doctor.add_argument("--console", type=Path, default=CONSOLE, help="terminal of a kiosk without a player")
    language.add_option(doctor)
    doctor.set_defaults(command=_doctor)


def _doctor(options: argparse.Namespace) -> int:
    chosen = language.chosen(options)
    place = find_place(config_file(options.config))
    console = open_console(options.console) if options.on_screen else None
    if place.settings is not None:
        become_owner(Path(place.settings.state_folder))
    findings = _examine(place, chosen, quiet=options.json)
    device = place.device or "-"
    if options.json:
        say(msgspec.json.encode(report.report(findings, device, chosen)).decode())
    else:
        say(report.summary(findings, chosen))
    if options.on_screen:
        picture = Picture(findings=findings, device=device, seconds=options.seconds, language=chosen)
        _show(place, picture, console, quiet=options.json)
    return TROUBLE if report.worst(findings) == "fail" else OK


def _examine(place: Place, chosen: Language, *, quiet: bool) -> list[Finding]:
    """All findings; told as they come, with what is waited for on stderr if somebody sits there."""
    findings: list[Finding] = []
    watched = not quiet and sys.stderr.isatty()
    waiting = examine(place)
    for check in CHECKS:
        if watched:
            _progress(words.plain(chosen, "doctor.checking", title=words.title(chosen, check.name)))
        _, found = next(waiting)
        if watched:
            _progress("")
        findings += found
        for finding in [] if quiet else found:
            for line in report.lines(finding, chosen):
                say(line)
    return findings


def _progress(text: str) -> None:
    """One line that the next one overwrites."""
    sys.stderr.write(f"\r\033[K{text}\r")
    sys.stderr.flush()


def _show(place: Place, picture: Picture, console: TextIO | None, *, quiet: bool) -> None:
    try:
        finish = show(picture, place.settings, console)
    except NotShown as error:
        print(words.plain(picture.language, "doctor.not_shown", reason=str(error)), file=sys.stderr)  # noqa: T201
        return
    if not quiet:
        say(words.plain(picture.language, "doctor.shown", where=picture.device, seconds=picture.seconds))
    finish()


def _seconds(text: str) -> int:
    seconds = int(text)
    if not 1 <= seconds <= 3600:
        raise argparse.ArgumentTypeError("between 1 and 3600")
    return seconds
