"""A package on a stick at boot: taken once, and what came of it can be read on the stick."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from contract.release import Told
from contract.version import VERSION
from edge_agent.identity.first_boot import RESULT
from edge_agent.update import inbox, stick
from edge_agent.update.inbox import found
from edge_agent.update.journal import Notes, Result, read_results
from edge_agent.update.places import READY
from tests.edge_agent.update.making import Kind, Machine


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "machine")


@pytest.fixture
def media(tmp_path: Path) -> Path:
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder


def put(machine: Machine, media: Path, version: str) -> Path:
    file = media / f"ttdn-agent-{version}.ttdn"
    machine.package(Kind(version), arch=platform.machine()).rename(file)
    return file


def boot(machine: Machine, media: Path, results: list[Result]) -> bool:
    def take(file: Path) -> str:
        with file.open("rb") as source:
            inbox.take(source, machine.places.inbox, machine.places.key)
        return ""

    return stick.at_boot(list(found([media])), results, take, print)


def said(media: Path) -> str:
    data = (media / RESULT).read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    assert data.count(b"\n") == data.count(b"\r\n")
    return data.decode("utf-8-sig").replace("\r\n", "\n")


def test_the_newest_that_fits_is_taken_and_its_end_is_told_at_the_next_boot(machine: Machine, media: Path) -> None:
    (media / RESULT).write_bytes("\ufeffTTĐN: ĐĂNG KÝ XONG.\r\n".encode())
    put(machine, media, "0.8.0")
    newest = put(machine, media, "0.9.0")
    machine.package(Kind("1.0.0"), arch="armv7l").rename(media / "other.ttdn")
    (media / "rubbish.ttdn").write_bytes(b"x" * 5000)
    assert boot(machine, media, [])
    assert (machine.places.inbox / READY).read_bytes() == newest.read_bytes()
    assert said(media).startswith("TTĐN: ĐĂNG KÝ XONG.\n\nTTĐN: CẬP NHẬT / UPDATE\nĐã nhận gói phiên bản 0.9.0")

    (machine.places.inbox / READY).unlink()
    Notes(machine.folder).add("one", Told("went_back", "0.9.0", VERSION, "probe.mpv"))
    assert boot(machine, media, read_results(machine.folder))
    assert not (machine.places.inbox / READY).exists(), "what did not work is not tried at each boot"
    assert said(media).startswith("TTĐN: ĐĂNG KÝ XONG.\n\nTTĐN: CẬP NHẬT / UPDATE\nPhiên bản 0.9.0 không chạy tốt")
    assert said(media).count("CẬP NHẬT") == 1


def test_what_was_refused_may_be_tried_again(machine: Machine, media: Path) -> None:
    put(machine, media, "0.9.0")
    Notes(machine.folder).add("one", Told("refused", "0.9.0", VERSION, "no room"))
    assert boot(machine, media, read_results(machine.folder))
    assert (machine.places.inbox / READY).exists()


def test_what_is_for_another_machine_is_said_and_nothing_is_no_matter(machine: Machine, media: Path) -> None:
    assert boot(machine, media, [])
    assert not (media / RESULT).exists()
    put(machine, media, VERSION)
    assert boot(machine, media, [])
    assert f"version {VERSION} is installed already" in said(media)


def test_the_command_at_boot_says_why_it_takes_no_package(machine: Machine, media: Path) -> None:
    """Here it is a kiosk that was never given a key of releases."""
    put(machine, media, "0.9.0")
    config = machine.folder / "agent.toml"
    config.write_text(f"state_folder = '{machine.places.agent_state}'\nruntime_folder = '{machine.folder}/run'\n")
    command = [sys.executable, "-m", "edge_agent.cli", "--config", str(config), "first-boot", "--no-mount"]
    command += ["--look", str(media), "--update-state", str(machine.folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 1, done.stderr
    assert "Không nhận được gói ttdn-agent-0.9.0.ttdn" in said(media)
    assert "release.pub" in said(media)
    assert not (machine.places.inbox / READY).exists()
