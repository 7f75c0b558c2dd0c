"""The catalogue of the simulated border as the file that a province hands in: what may be shown, by which document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Final, NamedTuple

from msgspec import Struct

from edge_agent.observation import Content
from simulator.catalogue import ALL_LANGUAGES, SUFFIXES, WORKS, State, Work, content_of
from simulator.registration import APPROVER
from simulator.table import csv_text

_KINDS: Final = {"mp4": "video", "mp3": "audio", "": "page"}


class RealItem(Struct, frozen=True):
    """What a real player shows: its bytes are made on this machine, its address may be another one at every start."""

    content: Content
    topic: str
    language: str
    title_vi: str


class _Span(NamedTuple):
    """From when until when a content may be shown; `until` empty: until further notice."""

    first: date
    until: date | None


def contents_csv(began_on: date, real: Iterable[RealItem] = ()) -> str:
    """All works in all languages and formats, and what real players show; by the year in which the demo began."""
    rows = [row for number, work in enumerate(WORKS, 1) for row in _work(number, work, began_on)]
    return csv_text([*rows, *(_real(number, item, began_on) for number, item in enumerate(real, 1))])


def _work(number: int, work: Work, began_on: date) -> Iterator[dict[str, str]]:
    for suffix in SUFFIXES if work.kind == "file" else ("",):
        for language in ALL_LANGUAGES:
            code = f"ND-{number:02}-{language.upper()}{'-' + suffix.upper() if suffix else ''}"
            title, its_language = _foreign_title(work, language)
            content = content_of(work, language, suffix)
            yield {
                **_head(code, work.title_vi, title, its_language, language, work.topic, _KINDS[suffix]),
                **_approval(number, work.state, began_on),
                **_medium(content),
            }


def _real(number: int, item: RealItem, began_on: date) -> dict[str, str]:
    kind = "video" if item.content.sha256 else "page"
    return {
        **_head(f"ND-THAT-{number:02}", item.title_vi, "", "", item.language, item.topic, kind),
        **_approval(900 + number, "approved", began_on),
        **_medium(item.content),
    }


def _head(
    code: str, title_vi: str, title: str, title_language: str, language: str, topic: str, kind: str
) -> dict[str, str]:
    return {
        "code": code,
        "title_vi": title_vi,
        "title_foreign": title,
        "title_language": title_language,
        "language": language,
        "topic": topic,
        "kind": kind,
        "priority": "thong_thuong",
    }


def _foreign_title(work: Work, language: str) -> tuple[str, str]:
    """The title in the content's language where there is one, else in English; the Vietnamese one needs none."""
    titles = {"vi": ("", ""), "zh": (work.title_zh, "zh")}
    return titles.get(language, (work.title_en, "en"))


def _approval(number: int, state: State, began_on: date) -> dict[str, str]:
    span = _spans(began_on.year)[state]
    signed = {"approval_no": f"{number:02}/QĐ-MP", "approval_body": APPROVER, "approval_date": f"{span.first}"}
    return {
        **(dict.fromkeys(signed, "") if state == "waiting" else signed),
        "valid_from": f"{span.first}",
        "valid_until": f"{span.until or ''}",
    }


def _spans(year: int) -> dict[State, _Span]:
    """Far enough from today that no story lives to see a border."""
    now = _Span(date(year - 1, 1, 1), None)
    return {
        "approved": now,
        "waiting": now,
        "expired": _Span(date(year - 3, 1, 1), date(year - 2, 12, 31)),
        "not_yet_valid": _Span(date(year + 2, 1, 1), None),
    }


def _medium(content: Content) -> dict[str, str]:
    return {"refs": content.ref, "source": "", "media_sha256": content.sha256 or "", "frame_hash": ""}
