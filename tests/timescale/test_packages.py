"""What npm brings is installed once, complete or not at all; what hinders it is told with its remedy."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from simulator.errors import ServerError
from tests.timescale import packages
from tests.timescale.packages import HERE, installed, program

NPM = """#!/bin/sh
printf '%s\\n' "$*" >>"$CALLS"
[ "$*" != "$REFUSES" ] || { echo "request to https://me:secret@packages.example/pglite failed"; exit 1; }
mkdir node_modules
"""


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with an npm that only says what it was asked to do; what it says."""
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "npm").write_text(NPM)
    (tools / "npm").chmod(0o755)
    monkeypatch.setenv("PATH", str(tools), prepend=":")
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("REFUSES", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "calls"


def test_npm_is_asked_once(calls: Path) -> None:
    first = installed()
    assert installed() == first
    assert calls.read_text() == " ".join(packages._NPM) + "\n"
    assert (first / "node_modules").is_dir()
    assert first.parent == calls.parent / "cache" / "ttdn-border"
    assert not first.is_relative_to(HERE)


def test_what_a_killed_installation_left_is_not_taken(calls: Path) -> None:
    place = installed()
    place.rename(place.with_suffix(".new"))
    (place.with_suffix(".new") / "half").touch()
    assert installed() == place
    assert not (place / "half").exists()


def test_a_refusal_is_told_without_secrets(calls: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REFUSES", " ".join(packages._NPM))
    with pytest.raises(ServerError, match=r"(?s)npm config get registry.*//\*\*\*\*@packages.example") as caught:
        installed()
    assert "secret" not in str(caught.value)
    monkeypatch.setenv("REFUSES", "")
    assert (installed() / "node_modules").is_dir()


def test_another_lock_file_is_another_place(calls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = installed()
    other = tmp_path / "other"
    other.mkdir()
    (other / "package.json").write_text("{}")
    (other / "package-lock.json").write_text("{}")
    monkeypatch.setattr(packages, "HERE", other)
    assert installed() != before
    assert before.exists()


@pytest.mark.parametrize("name", ["node", "npm"])
def test_what_is_missing_is_named_with_the_command(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ServerError, match=f"{name} is not installed.*apt-get install .* nodejs npm"):
        program(name)


@pytest.mark.parametrize("home", [None, "/dev/null"])
def test_no_place_for_a_cache(home: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    if home is None:
        monkeypatch.delenv("HOME", raising=False)
    else:
        monkeypatch.setenv("HOME", home)
    with pytest.raises(ServerError, match="set XDG_CACHE_HOME to a folder that you may write to"):
        installed()


def test_the_lock_file_pins_every_package_by_its_hash_and_names_no_registry() -> None:
    text = (HERE / "package-lock.json").read_text()
    pinned = [package for name, package in json.loads(text)["packages"].items() if name]
    assert pinned
    assert all(package["integrity"].startswith("sha512-") for package in pinned)
    assert "://" not in text
