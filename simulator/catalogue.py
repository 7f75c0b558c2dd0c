"""Contents such as an information point shows: the works of `data/contents.csv` by language, and strangers among them.

What each of them is by a catalogue (`Item.unapproved`) is known here by how it was made, and by no rule of the hub.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator
from importlib.resources import files
from typing import Final, Literal

import msgspec
from msgspec import Struct

from contract.content_ref import file_ref, url_ref
from edge_agent.observation import Content
from simulator.border import LANGUAGES, Device

Unapproved = Literal["unknown", "altered", "expired", "not_yet_valid"]
State = Literal["approved", "expired", "not_yet_valid", "waiting"]


class Work(Struct, frozen=True):
    """One line of `contents.csv`: a work that there is in every language. `state` is what the catalogue says of it.

    `waiting`: it is in the catalogue, and nobody has approved it yet.
    """

    kind: Literal["file", "page"]
    topic: str
    name: str
    state: State
    title_vi: str
    title_en: str
    title_zh: str


class Item(Struct, frozen=True):
    """Something that is shown. `unapproved` says why it should not be; None if it may."""

    content: Content
    unapproved: Unapproved | None = None


def _works() -> tuple[Work, ...]:
    text = (files("simulator") / "data" / "contents.csv").read_text(encoding="utf-8")
    return tuple(msgspec.convert(row, Work) for row in csv.DictReader(io.StringIO(text)))


WORKS: Final = _works()
SUBJECTS: Final = tuple(dict.fromkeys(work.topic for work in WORKS))
"""Topic codes of the guidance letter, each with at least one work."""
PAGES: Final = tuple(work.name for work in WORKS if work.kind == "page" and work.state == "approved")
"""Pages of the kiosk's own web content."""
ALL_LANGUAGES: Final = tuple(dict.fromkeys(language for group in LANGUAGES.values() for language in group))
_STRANGERS: Final = ("quang-cao-dien-thoai", "video-karaoke", "USB/New folder/clip 01", "khuyen-mai-sieu-thi")
_SUFFIX: Final = {"led": "mp4", "tv": "mp4", "loa": "mp3"}
SUFFIXES: Final = tuple(dict.fromkeys(_SUFFIX.values()))
_ALTERED: Final = 4
"""How many approved names a device has with other bytes."""


def content_of(work: Work, language: str, suffix: str) -> Content:
    """A work in one language as a device shows it; a page has no suffix, and no bytes that anybody reads."""
    if work.kind == "page":
        return Content(url_ref(f"http://127.0.0.1:8080/{language}/{work.name}"))
    return _file(f"{work.topic}/{work.name}_{language}.{suffix}")


def playlist(device: Device) -> list[Item]:
    """What a device may show, in all its languages."""
    return [
        Item(content_of(work, language, _SUFFIX.get(device.kind, "")))
        for work in _for(device)
        if work.state == "approved"
        for language in device.languages
    ]


def strangers(device: Device) -> list[Item]:
    """What a device should not show.

    Files that nobody approved, approved names over other bytes, and what is catalogued but not for now.
    """
    suffix = _SUFFIX.get(device.kind, "")
    outdated = [Item(content_of(work, "vi", suffix), _why_not(work)) for work in _for(device) if _why_not(work)]
    if device.kind == "kiosk":
        return [Item(Content(url_ref("http://games.example/choi-ngay")), "unknown"), *outdated]
    unknown = [Item(_file(f"{name}.{suffix}"), "unknown") for name in _STRANGERS]
    altered = [
        Item(Content(item.content.ref, _digest(f"{item.content.ref}, cut")), "altered")
        for item in playlist(device)[:_ALTERED]
    ]
    return unknown + altered + outdated


def approved(devices: Iterable[Device]) -> Iterator[Content]:
    """All that these devices may show."""
    for device in devices:
        yield from (item.content for item in playlist(device))


def _for(device: Device) -> Iterator[Work]:
    kind = "page" if device.kind == "kiosk" else "file"
    return (work for work in WORKS if work.kind == kind)


def _why_not(work: Work) -> Unapproved | None:
    if work.state == "approved":
        return None
    return "unknown" if work.state == "waiting" else work.state


def _file(path: str) -> Content:
    ref = file_ref(f"/srv/media/{path}", "/srv/media")
    return Content(ref, _digest(ref))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
