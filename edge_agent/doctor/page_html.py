"""The pages that a technician's telephone shows, without I/O. They need no script and nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

from msgspec import Struct

from edge_agent import words
from edge_agent.doctor import html
from edge_agent.doctor.finding import OUTCOMES, Finding
from edge_agent.words import Language

REFRESH_S: Final = 10
STYLE_PATH: Final = "/page.css"
_OTHER: Final[dict[Language, Language]] = {"vi": "en", "en": "vi"}


class Measured(Struct, frozen=True, kw_only=True):
    """What there is to show; `findings` are None until the first measurement is done."""

    device: str
    findings: Sequence[Finding] | None = None
    status_lines: Sequence[str] = ()
    age_s: int = 0
    measuring: bool = False
    problem: str = ""
    minutes_left: int = 0
    wrong_codes: int = 0
    every_s: int = 60


def code_page(language: Language, note: str = "") -> str:
    """Asks for the code."""
    asked = escape(words.plain(language, "page.code"))
    told = f"<p><strong>{escape(note)}</strong></p>" if note else ""
    body = (
        f"{told}<p>{escape(words.plain(language, 'page.enter'))}</p>"
        f'<form method="post" action="/code?lang={language}"><label>{asked} '
        '<input name="code" inputmode="numeric" autocomplete="off" maxlength="6" pattern="[0-9]{6}" required autofocus>'
        f"</label> <button>{escape(words.plain(language, 'page.open'))}</button></form>"
    )
    return _page(language, words.plain(language, "page.title"), body, refresh=False)


def result_page(language: Language, measured: Measured) -> str:
    """What was measured, worst first, and the agent's own condition."""
    parts = [f"<p>{escape(_state(language, measured))}</p>"]
    if measured.findings is not None:
        ordered = sorted(measured.findings, key=lambda finding: -OUTCOMES.index(finding.outcome))
        parts.append(html.findings_list(ordered, language))
    if measured.status_lines:
        parts.append(f"<pre>{escape(chr(10).join(measured.status_lines))}</pre>")
    again = escape(words.plain(language, "page.again"))
    parts.append(f'<form method="post" action="/again?lang={language}"><button>{again}</button></form>')
    closes = words.plain(language, "page.closes", minutes=measured.minutes_left, wrong=measured.wrong_codes)
    parts.append(f"<p><small>{escape(closes)}</small></p>")
    heading = words.plain(language, "doctor.heading", device=measured.device)
    return _page(language, heading, "".join(parts), refresh=True)


def _state(language: Language, measured: Measured) -> str:
    if measured.measuring:
        return words.plain(language, "page.measuring")
    if measured.problem:
        return words.plain(language, "page.failed", reason=measured.problem)
    return words.plain(language, "page.measured", seconds=measured.age_s, every=measured.every_s)


def _page(language: Language, heading: str, body: str, *, refresh: bool) -> str:
    again = f'<meta http-equiv="refresh" content="{REFRESH_S};url=/?lang={language}">' if refresh else ""
    other = escape(words.plain(language, "page.other"))
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">{again}'
        f'<title>{escape(heading)}</title><link rel="stylesheet" href="{STYLE_PATH}"></head>'
        f"<body><h1>{escape(heading)}</h1>{body}"
        f"<p><small>{escape(words.plain(language, 'page.what'))}</small></p>"
        f'<p><a href="/?lang={_OTHER[language]}">{other}</a></p></body></html>'
    )
