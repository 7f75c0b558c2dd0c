"""./demo on a Debian just installed, as root and as an ordinary user."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from tests.debian import CHECKOUT, USER, Debian, make_debian, mirror_of

APT = "apt-get update && apt-get install -y --no-install-recommends"
full = pytest.mark.full
# Making a tree and fetching the packages count among the time of the test that comes first.
patient = pytest.mark.timeout(1800)


def test_the_mirror_is_read_from_either_format() -> None:
    assert mirror_of(["# none\n", "deb [signed-by=/k] http://m.example/debian bookworm main\n"]) == (
        "http://m.example/debian"
    )
    assert mirror_of(["Types: deb\nURIs: http://m.example/debian/\nSuites: trixie\n"]) == "http://m.example/debian/"
    with pytest.raises(AssertionError, match="no Debian mirror"):
        mirror_of(["deb http://m.example/other stable main\n"])


@pytest.fixture(scope="module", params=["bookworm", "trixie"])
def bare(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Debian:
    assert os.geteuid() == 0, "making a Debian tree needs root: sudo ./test --full"
    assert shutil.which("debootstrap"), "apt-get install -y --no-install-recommends debootstrap"
    # Open to others, as a real root directory is; pytest's own folders are not.
    folder = tmp_path_factory.mktemp("debian")
    return make_debian(folder / "bare", request.param)


@pytest.fixture(scope="module")
def equipped(bare: Debian) -> Debian:
    """With what ./demo itself names."""
    debian = bare.copy(bare.root.with_name("equipped"))
    debian.install("python3", "python3-venv")
    return debian


@full
@patient
def test_without_python_the_exact_command(bare: Debian) -> None:
    for user, how in (("root", "install it with:"), (USER, "install it, as root, with:")):
        done = bare.run("./demo", "--help", user=user)
        assert (done.returncode, done.stdout) == (2, "")
        assert f"demo: {how}\n    {APT} python3 python3-venv\n" in done.stderr


@full
@patient
def test_without_an_installer_the_exact_command(bare: Debian) -> None:
    debian = bare.copy(bare.root.with_name("python-alone"))
    debian.install("python3")
    for user in ("root", USER):
        done = debian.run("./demo", "--help", user=user)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.endswith(f"\n    {APT} python3-venv\n")
    shutil.rmtree(debian.root)


@full
@patient
@pytest.mark.parametrize("user", [USER, "root"])
def test_the_demo_runs_and_loses_nothing(equipped: Debian, user: str) -> None:
    helped = equipped.run("./demo", "--help", user=user)
    assert helped.returncode == 0, helped.stderr
    assert "--seconds" in helped.stdout
    # The ordinary user, who may not write to the checkout, comes first: it has no environment of root's to use.
    place = f"{CHECKOUT}/.venv-demo" if user == "root" else f"/home/{USER}/.cache/ttdn-border/venv-demo-"
    assert f"demo: making a Python environment in {place}" in helped.stderr
    again = equipped.run("./demo", "--help", user=user)
    assert (again.returncode, again.stderr) == (0, "")

    result = f"/tmp/{user}.json"
    done = equipped.run("./demo", "--seconds", "30", "--json", result, user=user)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    figures = json.loads(Path(f"{equipped.root}{result}").read_text())
    assert (figures["lost"], figures["duplicated"]) == (0, 0)
    assert figures["sites"] == 29
    assert figures["devices"] >= 45
    assert figures["stored"] > 0
    assert not list(Path(f"{equipped.root}/proc").iterdir()), "nothing stays mounted"
    assert not (Path(f"{equipped.root}{CHECKOUT}") / f"{user}.json").exists()
