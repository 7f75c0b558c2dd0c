"""./test names or installs the real programs that the suite needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bare_machine import Machine, make_machine

PROGRAMS = ("mosquitto", "mosquitto_passwd", "chromium", "mpv", "nginx", "faketime", "systemd-analyze", "node", "npm")
PACKAGES = "mosquitto chromium mpv nginx libnginx-mod-stream faketime systemd nodejs npm"
APT = "apt-get install -y --no-install-recommends"


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    machine = make_machine(tmp_path)
    machine.give_python()
    machine.has("has-ensurepip")
    return machine


def give_programs(machine: Machine) -> None:
    for name in PROGRAMS:
        machine.give(name, "#!/bin/sh\n")


def test_an_ordinary_user_is_told_the_command_and_no_test_runs(machine: Machine) -> None:
    give_programs(machine)
    (machine.tools / "mpv").unlink()
    (machine.tools / "mosquitto_passwd").unlink()
    (machine.tools / "node").unlink()
    done = machine.run("test")
    assert (done.returncode, done.stdout) == (2, "")
    assert "real programs that are not installed: mosquitto mpv nodejs\n" in done.stderr
    assert done.stderr.endswith(f"{APT} mosquitto mpv nodejs\n")


def test_node_may_come_without_npm(machine: Machine) -> None:
    give_programs(machine)
    (machine.tools / "npm").unlink()
    done = machine.run("test")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith(f"{APT} npm\n")


def test_root_gets_what_is_missing(machine: Machine) -> None:
    machine.give_user(0)
    machine.give("apt-get", '#!/bin/sh\necho "apt-get $*" >>"$TOOLS/calls"\n')
    assert machine.run("test", "tests/contract").returncode == 0
    assert "apt-get update -qq" in machine.calls()
    assert f"apt-get install -qq -y --no-install-recommends {PACKAGES}" in machine.calls()


def test_root_without_a_mirror_is_told_so(machine: Machine) -> None:
    machine.give_user(0)
    machine.give("apt-get", "#!/bin/sh\nexit 100\n")
    done = machine.run("test")
    assert (done.returncode, done.stdout) == (2, "")
    assert f"apt-get could not install {PACKAGES}" in done.stderr


def test_arguments_go_to_pytest_alone(machine: Machine) -> None:
    give_programs(machine)
    done = machine.run("test", "tests/contract", "-k", "a b")
    assert done.returncode == 0
    assert done.stdout.splitlines() == [f"pytest: {word}" for word in ("-m", "not full", "tests/contract", "-k", "a b")]
    assert not [call for call in machine.calls() if "ruff" in call or "mypy" in call]


def test_without_arguments_everything_runs_and_one_failure_fails_it(machine: Machine) -> None:
    give_programs(machine)
    done = machine.run("test")  # this environment has no lint-imports
    assert [call for call in machine.calls() if call.startswith("-m ruff") or call == "-m mypy"] == [
        "-m ruff check",
        "-m ruff format --check",
        "-m mypy",
    ]
    words = ("-m", "not full", "-n", "auto", "--maxprocesses", "4", "--dist", "loadfile")
    assert done.stdout.splitlines() == [f"pytest: {word}" for word in words], "the tests run all the same"
    assert done.returncode == 1
    assert done.stderr.endswith("test: failed: import-linter\n")


def test_full_needs_other_debians_and_deselects_nothing(machine: Machine) -> None:
    give_programs(machine)
    assert machine.run("test", "--full").stderr.endswith(f"{APT} debootstrap qemu-user-static\n")
    machine.give("debootstrap", "#!/bin/sh\n")
    machine.give("qemu-aarch64-static", "#!/bin/sh\n")
    assert machine.run("test", "--full", "-x").stdout == "pytest: -x\n"
