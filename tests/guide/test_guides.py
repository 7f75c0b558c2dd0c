"""The technician's guides say what the products do: their commands are typed in order, and what is seen is compared.

One that is behind is written anew by `WRITE_GUIDES=1 pytest tests/guide -m full` in a checkout; read the difference.
"""

from __future__ import annotations

import ast
import os
import re
from pathlib import Path
from types import ModuleType
from typing import Final

import psycopg
import pytest

from edge_agent.identity.texts import FIRST_BOOT
from edge_agent.words import en, vi
from tests.guide import likeness
from tests.guide.blocks import Step, steps, with_shown
from tests.guide.stage import Stage, hub_running
from tests.regenerate import ROOT

TOOLBOX: Final = "docs/the-tui-do-nghe.md"
TRAINING: Final = "docs/tap-huan.md"
GUIDES: Final = {"docs/ky-thuat-vien.md": "vi", "docs/technician.md": "en"}
WRITE: Final = "WRITE_GUIDES"
DOCTOR_ON_SCREEN: Final = (
    "tests/edge_agent/doctor/test_on_screen.py::test_mpv_shows_it_over_the_film_for_as_long_as_we_are_there"
)
INSTALLED: Final = "tests/deploy/test_install.py::test_installed_twice_and_off_again"
ELSEWHERE: Final = {
    "sh deploy/agent/wheels.sh --arch aarch64 --python 3.13 --output ttdn": "tests/deploy/test_scripts.py",
    "sudo sh /media/usb/ttdn/install.sh --check": (
        "tests/deploy/test_scripts.py::test_check_tells_every_step_and_changes_nothing"
    ),
    "sudo sh /media/usb/ttdn/install.sh": INSTALLED,
    "sudo sh /opt/ttdn-agent/uninstall.sh": INSTALLED,
    "sudo ttdn-agent enrol https://ttdn.example.vn": (
        "tests/edge_agent/identity/test_enrol_command.py::test_it_asks_for_a_code"
    ),
    "sudo ttdn-agent doctor --on-screen": DOCTOR_ON_SCREEN,
    "sudo ttdn-agent update /media/usb/ttdn-agent-0.2.0-aarch64.ttdn": (
        "tests/edge_agent/update/test_fetching.py::test_the_command_takes_a_stick"
    ),
    "sudo ttdn-hub command send bg-20-cma-k2 identify": "tests/hub/cli/test_fleet.py",
    "sudo ttdn-hub fleet config bg-20-cma-k2 --set budget.month_bytes=60000000": "tests/hub/cli/test_fleet.py",
    "./demo --province 20": "tests/test_demo_script.py",
    "./demo --seconds 60 --kill --json result.json": "tests/simulator/test_demo.py",
    "sudo cp /boot/firmware/ttdn/players/mpv-kiosk.service /etc/systemd/system/": (
        "tests/deploy/test_units.py::test_players_meet_their_probes"
    ),
}
"""Commands that need another machine than the stage, and the test that types them there."""
SYSTEM: Final = {
    "cp -r ttdn deploy/agent/cloud-init/user-data deploy/agent/cloud-init/network-config /media/$USER/bootfs/",
    "journalctl -u ttdn-agent -n 50",
    "sudo apt-get install -y --no-install-recommends mpv",
    "sudo useradd --system --create-home --groups video,render,audio,input kiosk",
}
"""Nothing of ours."""


def guide(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def play(typed: list[Step], stage: Stage) -> list[tuple[Step, str]]:
    """Type them; each step with what its last command said."""
    return [(step, _play(step, stage)) for step in typed]


def until_green(found: list[Step]) -> list[Step]:
    """From the empty card to a doctor and a status that are well."""
    ends = next(number for number, step in enumerate(found, 1) if step.commands == ("sudo ttdn-agent status",))
    return found[:ends]


def _play(step: Step, stage: Stage) -> str:
    typed = [command for command in step.commands if command not in ELSEWHERE and command not in SYSTEM]
    said = ""
    for command in typed:
        said = stage.type(command)
    return said


def differences(played: list[tuple[Step, str]]) -> list[str]:
    """Steps that show something else than what was seen."""
    return [
        "\n".join(["", *step.commands, "--- the guide", *likeness.plain(step.shown), "--- seen", *likeness.plain(said)])
        for step, said in played
        if step.shown is not None and step.commands and likeness.plain(step.shown) != likeness.plain(said)
    ]


def test_from_an_empty_card_to_green(database: str, connection: psycopg.Connection, tmp_path: Path) -> None:
    name = next(iter(GUIDES))
    with hub_running(tmp_path / "hub", database, connection) as hub, Stage(tmp_path / "kiosk", hub, "vi") as stage:
        played = play(until_green(steps(guide(name))), stage)
    assert not differences(played), "".join(differences(played))


@pytest.mark.full
@pytest.mark.parametrize("name", GUIDES)
def test_all_of_it(name: str, database: str, connection: psycopg.Connection, tmp_path: Path) -> None:
    with (
        hub_running(tmp_path / "hub", database, connection) as hub,
        Stage(tmp_path / "kiosk", hub, GUIDES[name]) as stage,
    ):
        played = play(steps(guide(name)), stage)
    if WRITE in os.environ:
        seen = [likeness.printable(said) if step.commands else None for step, said in played]
        (ROOT / name).write_text(with_shown(guide(name), seen), encoding="utf-8")
        return
    assert not differences(played), "".join(differences(played))


@pytest.mark.full
def test_a_day_of_training(database: str, connection: psycopg.Connection, tmp_path: Path) -> None:
    with hub_running(tmp_path / "hub", database, connection) as hub, Stage(tmp_path / "kiosk", hub, "vi") as stage:
        played = play(steps(guide(TRAINING)), stage)
    assert not differences(played), "".join(differences(played))
    (listed,) = (said for step, said in played if step.commands == ("ttdn-hub incident list",))
    assert "Traceback" not in listed


@pytest.mark.parametrize("name", GUIDES)
def test_no_line_of_the_doctor_is_made_up(name: str) -> None:
    assert [line for step in steps(guide(name)) for line in likeness.strange(step.shown or "")] == []


@pytest.mark.parametrize(("name", "table"), list(zip(GUIDES, (vi, en), strict=True)))
def test_every_line_of_the_doctor_is_explained(name: str, table: ModuleType) -> None:
    explained = {title for row in re.findall(r"^\| ([^|]+) \|", guide(name), re.MULTILINE) for title in row.split(", ")}
    assert set(table.TITLES.values()) <= explained


@pytest.mark.parametrize("name", GUIDES)
def test_every_result_of_a_first_boot_is_explained(name: str) -> None:
    rows = re.findall(r"^\| ([^|]+) \|", guide(name), re.MULTILINE)
    for how in ("done", "waiting", "gave_up", "failed", "wrong_file"):
        text = FIRST_BOOT[how].vi if GUIDES[name] == "vi" else FIRST_BOOT[how].en
        assert any(text.partition(": ")[2].startswith(row) for row in rows), text


def test_the_page_for_the_toolbox_has_commands_of_the_guide() -> None:
    typed = {command for step in steps(guide(next(iter(GUIDES)))) for command in step.commands}
    named = set(re.findall(r"`((?:sudo|journalctl) [^`]+)`", guide(TOOLBOX)))
    assert named
    assert named <= typed


@pytest.mark.parametrize("name", [*GUIDES, TRAINING, TOOLBOX])
def test_links_lead_somewhere(name: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", guide(name)):
        assert (ROOT / name).parent.joinpath(target).exists(), f"{name} links to {target}"


def test_both_languages_have_the_same_commands_in_the_same_order() -> None:
    vietnamese, english = ([step.commands for step in steps(guide(name))] for name in GUIDES)
    assert vietnamese == english


@pytest.mark.parametrize("test", sorted(set(ELSEWHERE.values())))
def test_what_is_typed_elsewhere_is(test: str) -> None:
    file, _, function = test.partition("::")
    body = ast.parse((ROOT / file).read_text(encoding="utf-8")).body
    names = [node.name for node in body if isinstance(node, ast.FunctionDef)]
    assert function in names if function else any(name.startswith("test_") for name in names)


def test_nothing_is_listed_that_no_guide_has() -> None:
    typed = {command for name in (*GUIDES, TRAINING) for step in steps(guide(name)) for command in step.commands}
    assert (SYSTEM | ELSEWHERE.keys()) <= typed
