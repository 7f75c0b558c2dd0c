"""The report as HTML, for the kiosk's own screen and for a telephone: no scripts, nothing from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from itertools import accumulate
from typing import Final

from edge_agent import words
from edge_agent.doctor.finding import Finding, Outcome
from edge_agent.doctor.report import item
from edge_agent.words import Language

ON_SCREEN_LINES: Final = 19
"""What can be read from a few metres; something that is wrong takes two, for its advice."""
_OPTION: Final = re.compile(r"(?<=\s)(-{1,2})(?=\w)")
_JOINED: Final = "\\1\u2060"
"""A line must not end between the dash of a command's option and its letter."""
_WORST_FIRST: Final[dict[Outcome, int]] = {"fail": 0, "warn": 1, "ok": 2}
STYLE: Final = """\
*{box-sizing:border-box}
body{margin:0;padding:12px;font:16px/1.45 "DejaVu Sans","Noto Sans",Roboto,sans-serif;background:#f4f5f7;color:#16202c;
overflow-wrap:anywhere}
h1{font-size:1.25em;margin:0 0 .3em}
h2{font-size:1em;margin:1.2em 0 .4em}
p{margin:.4em 0}
ul{list-style:none;margin:.6em 0;padding:0}
li{background:#fff;margin:0 0 8px;padding:8px 10px;border-left:8px solid #1b7f4b;border-radius:4px}
li.warn{border-color:#c77700}
li.fail{border-color:#b3261e}
li b{display:inline-block;min-width:5.2em;color:#1b7f4b}
li.warn b{color:#8f5600}
li.fail b{color:#b3261e}
li p{font-weight:bold;margin:.3em 0 0}
input,button{font:inherit;padding:10px 14px;border:1px solid #5b6b7c;border-radius:6px;background:#fff;color:inherit}
input{width:9em;letter-spacing:.2em}
button{background:#0b57a4;border-color:#0b57a4;color:#fff}
form{margin:.8em 0}
pre{white-space:pre-wrap;background:#fff;padding:8px 10px;border-radius:4px;font:14px/1.5 "DejaVu Sans Mono",monospace}
small{color:#44525f}
.big{font-size:2.1vh;padding:3vh 4vw;height:100vh;overflow:hidden}
.big li{padding:.5vh 1vw;margin:0 0 .7vh}
"""


def findings_list(findings: Sequence[Finding], language: Language) -> str:
    """A list, in the order given."""
    return f"<ul>{''.join(_line(finding, language) for finding in findings)}</ul>"


def _line(finding: Finding, language: Language) -> str:
    told = item(finding, language)
    outcome = words.plain(language, f"outcome.{finding.outcome}")
    advice = f"<p>{_OPTION.sub(_JOINED, escape(told.advice))}</p>" if told.advice and finding.outcome != "ok" else ""
    return (
        f'<li class="{finding.outcome}"><b>{escape(outcome)}</b> '
        f"{escape(told.title)}: {escape(told.detail)}{advice}</li>"
    )


def on_screen(findings: Sequence[Finding], device: str, seconds: int, language: Language) -> str:
    """A whole page for the kiosk's screen: what is wrong first, and as many lines as can be read."""
    shown, more = most_urgent(findings)
    rest = f"<p>{escape(words.plain(language, 'screen.more', count=more))}</p>" if more else ""
    heading = escape(words.plain(language, "doctor.heading", device=device))
    left = escape(words.plain(language, "screen.left", seconds=seconds))
    return (
        f'<!doctype html><html lang="{language}"><meta charset="utf-8"><title>{heading}</title>'
        f'<style>{STYLE}</style><body class="big"><h1>{heading}</h1>'
        f"{findings_list(shown, language)}{rest}<p><small>{left}</small></p></body></html>"
    )


def most_urgent(findings: Sequence[Finding]) -> tuple[list[Finding], int]:
    """What fits on a screen, and how many do not."""
    ordered = sorted(findings, key=lambda finding: _WORST_FIRST[finding.outcome])
    lines = accumulate(1 if finding.outcome == "ok" else 2 for finding in ordered)
    fitting = sum(1 for line in lines if line <= ON_SCREEN_LINES)
    return ordered[:fitting], len(ordered) - fitting
