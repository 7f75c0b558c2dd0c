"""What real browsers and players said (`capture.py`), told again to the pure half of the probes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from contract.content_ref import file_ref
from edge_agent.observation import Content, Reading
from edge_agent.probes.chromium import BrowserView, ChromiumSettings
from edge_agent.probes.devtools import parse_message
from edge_agent.probes.mpv_ipc import Line, parse_line
from edge_agent.probes.pages import Pages
from edge_agent.probes.playback import PROPERTIES, Motion, Playback, PlayerLook, parse_look
from edge_agent.probes.player_view import PlayerView
from tests.edge_agent.probes.capture import CASES, plain

FOLDER = "/media"


def exchange(folder: Path) -> list[dict[str, Any]]:
    return [msgspec.json.decode(line) for line in (folder / "exchange.jsonl").read_bytes().splitlines()]


def said(folder: Path, readings: Sequence[Reading]) -> bool:
    expected = msgspec.json.decode((folder / "expected.json").read_bytes())
    assert msgspec.json.decode(plain(readings)) == expected
    return True


def replay_browser(lines: list[dict[str, Any]]) -> list[Reading]:
    pages, view = Pages(), BrowserView(ChromiumSettings(user_data_dir="/profile"))
    readings: list[Reading] = []
    for line in lines:
        if "now" in line:
            for page in pages.all():
                page.begin_look()
        elif "asked" in line:
            (page,) = (page for page in pages.all() if page.session == line["session"])
            (page.asked,) = line["asked"]
        elif "raw" in line:
            pages.apply(parse_message(line["raw"]))
        else:
            for page in pages.all():
                page.end_look()
            readings = view.of_pages(0, pages.all())
    return readings


class PlayerReplay:
    """One exchange with mpv, told again."""

    def __init__(self) -> None:
        self.playback, self.view = Playback(stuck_s=2), PlayerView(screen="main", player="mpv", stuck_s=2)
        self.view.connected()
        self.replies: dict[int, Line] = {}
        self.sample: list[int] = []
        self.look = PlayerLook(at_ms=0)
        self.motion: Motion = "unknown"
        self.readings: list[Reading] = []

    def take(self, line: dict[str, Any]) -> None:
        if "asked" in line:
            self.sample = line["asked"] if len(line["asked"]) == len(PROPERTIES) else []
        elif "raw" in line:
            said = parse_line(line["raw"].encode())
            self.playback.apply(said)
            if said.request_id is not None:
                self.replies[said.request_id] = said
        elif "now" in line and self.sample:
            replies = dict(zip(PROPERTIES, (self.replies[id_] for id_ in self.sample), strict=True))
            self.sample = []
            self.look = parse_look(line["now"], replies)
            self.motion = self.playback.see(self.look)
        elif "read" in line:
            content = Content(file_ref(self.look.path, FOLDER)) if self.look.path else None
            failed = {f"{failure.entry_id}": failure.error for failure in self.playback.failures}
            self.playback.failures = []
            self.readings = self.view.see(0, self.look, self.motion, self.playback, content, failed)


@pytest.mark.parametrize("folder", sorted((CASES / "chromium").iterdir()), ids=lambda folder: folder.name)
def test_browser(folder: Path) -> None:
    assert said(folder, replay_browser(exchange(folder)))


@pytest.mark.parametrize("folder", sorted((CASES / "mpv").iterdir()), ids=lambda folder: folder.name)
def test_player(folder: Path) -> None:
    replay = PlayerReplay()
    for line in exchange(folder):
        replay.take(line)
    for reading in replay.readings:
        if getattr(reading, "code", "") == "media_failed":
            replay.readings.remove(reading)
            replay.readings.append(msgspec.structs.replace(reading, reason="corrupt.mkv: unrecognized file format"))
    assert said(folder, replay.readings)
