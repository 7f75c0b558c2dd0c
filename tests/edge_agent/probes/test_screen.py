"""The power of screens, read from captured trees of the kernel's display driver."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge_agent.faults import CODES
from edge_agent.observation import Reading, ScreenPower, Trouble
from edge_agent.probes.base import ProbeError
from edge_agent.probes.screen import Connector, ScreenProbe, ScreenSettings, choose_main

CASES = Path(__file__).parent / "testcases" / "screen"


def probe(root: Path, **settings: Any) -> ScreenProbe:
    return ScreenProbe(msgspec.convert(settings, ScreenSettings), root=root, now_ms=lambda: 7)


def shown(reading: Reading) -> object:
    """A reading as `expected.json` writes it."""
    if isinstance(reading, Trouble):
        assert reading.code in CODES
        assert reading.reason
        return reading.code
    assert isinstance(reading, ScreenPower)
    assert (reading.at_ms, reading.volume) == (7, None)
    return {
        "screen": reading.screen,
        "state": reading.state,
        "panel_on": reading.panel_on,
        "brightness": reading.brightness,
    }


@pytest.mark.parametrize("case", sorted(CASES.iterdir()), ids=lambda case: case.name)
def test_captured_tree(case: Path) -> None:
    expected = msgspec.json.decode((case / "expected.json").read_bytes())
    readings = probe(case / "root", **expected["settings"]).read()
    assert [shown(reading) for reading in readings] == expected["readings"]


def test_a_machine_without_any_output_cannot_be_looked_at(tmp_path: Path) -> None:
    with pytest.raises(ProbeError, match="no display output"):
        probe(tmp_path).read()


def test_two_connectors_cannot_be_one_screen() -> None:
    with pytest.raises(msgspec.ValidationError, match="same screen"):
        msgspec.convert({"connectors": {"DP-1": "gate", "DP-2": "gate"}}, ScreenSettings)


class TestMain:
    def output(self, name: str, *, connected: bool) -> Connector:
        return Connector("card0", name, "connected" if connected else "disconnected", None, None)

    def chosen(self, before: str | None, **connected: bool) -> str:
        outputs = [self.output(name.replace("_", "-"), connected=there) for name, there in connected.items()]
        return choose_main(outputs, before).name

    def test_first_connected(self) -> None:
        assert self.chosen(None, DP_1=False, DP_2=True, DP_3=True) == "DP-2"

    def test_stays_while_others_come(self) -> None:
        assert self.chosen("card0-DP-2", DP_1=True, DP_2=True) == "DP-2"

    def test_stays_when_its_display_goes(self) -> None:
        assert self.chosen("card0-DP-2", DP_1=False, DP_2=False) == "DP-2"

    def test_follows_a_display_that_was_plugged_elsewhere(self) -> None:
        assert self.chosen("card0-DP-2", DP_1=True, DP_2=False) == "DP-1"

    def test_first_of_all_without_any_display(self) -> None:
        assert self.chosen(None, DP_1=False, DP_2=False) == "DP-1"


def test_the_main_screen_is_remembered_between_reads(tmp_path: Path) -> None:
    statuses = {name: tmp_path / "sys/class/drm" / f"card0-{name}" / "status" for name in ("DP-1", "DP-2")}
    for path in statuses.values():
        path.parent.mkdir(parents=True)
    statuses["DP-1"].write_text("disconnected\n")
    statuses["DP-2"].write_text("connected\n")
    screens = probe(tmp_path)
    screens.read()
    statuses["DP-2"].write_text("disconnected\n")
    trouble = screens.read()[-1]
    assert isinstance(trouble, Trouble)
    assert trouble.reason == "main: no display on DP-2"
