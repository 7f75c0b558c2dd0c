"""What the agent's commands and pages say to technicians: Vietnamese unless English is asked for.

One table a language (`vi`, `en`), with the same keys and the same fields; a test keeps them so. The locale of the
machine is not asked: a Raspberry Pi comes set to English, and the technician reads Vietnamese.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import ModuleType
from typing import Final, Literal, NamedTuple, get_args

from edge_agent.words import en, vi

Language = Literal["vi", "en"]
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)
VARIABLE: Final = "TTDN_LANG"
_TABLES: Final[Mapping[Language, ModuleType]] = {"vi": vi, "en": en}


class Said(NamedTuple):
    """What was found, and what to do about it; the advice is empty where there is nothing to do."""

    detail: str
    advice: str


def language(given: str | None, environ: Mapping[str, str] = os.environ) -> Language:
    """The one that was asked for, else that of TTDN_LANG, else Vietnamese."""
    wanted = given or environ.get(VARIABLE, "")
    return next((known for known in LANGUAGES if known == wanted), "vi")


def plain(language: Language, key: str, **facts: object) -> str:
    """A text of `PLAIN`."""
    text: str = _TABLES[language].PLAIN[key]
    return text.format_map(_worded(language, facts))


def title(language: Language, check: str) -> str:
    """What a check, or a kind of finding, is called."""
    titles: Mapping[str, str] = _TABLES[language].TITLES
    return titles.get(check, check)


def found(language: Language, said: str, facts: Mapping[str, object]) -> Said:
    """A text of `FOUND`; of a fault, what its code asks for."""
    table = _TABLES[language]
    detail, advice = table.FOUND[said]
    if said == "fault":
        advice = table.FAULTS.get(str(facts.get("code")), "")
    worded = _worded(language, facts)
    return Said(detail.format_map(worded), advice.format_map(worded))


def _worded(language: Language, facts: Mapping[str, object]) -> dict[str, object]:
    """Facts such as `@yes` are words, not names."""
    names: Mapping[str, str] = _TABLES[language].WORDS
    return {key: names.get(value, value) if isinstance(value, str) else value for key, value in facts.items()}
