"""How ./demo makes its environment, with the tools of a bare system played by a script."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bare_machine import Machine, make_machine, wait_for_file


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return make_machine(tmp_path)


def test_without_python_the_command_that_installs_it(machine: Machine) -> None:
    done = machine.run("demo")
    assert done.returncode == 2
    assert "demo: Python 3.11 or newer is needed" in done.stderr
    assert (
        "as root, with:\n    apt-get update && apt-get install -y --no-install-recommends python3 python3-venv\n"
    ) in done.stderr


def test_sudo_stands_in_the_command_where_it_exists_and_is_needed(machine: Machine) -> None:
    (machine.tools / "sudo").symlink_to("/bin/false")
    command = "apt-get update && {0}apt-get install -y --no-install-recommends python3 python3-venv\n"
    assert f"    sudo {command.format('sudo ')}" in machine.run("demo").stderr
    machine.give_user(0)
    assert f"install it with:\n    {command.format('')}" in machine.run("demo").stderr


def test_an_old_python_is_named(machine: Machine) -> None:
    machine.give_python()
    machine.has("old")
    done = machine.run("demo")
    assert done.returncode == 2
    assert "the python3 here is older or does not run" in done.stderr


def test_without_an_installer_the_package_that_brings_it(machine: Machine) -> None:
    machine.give_python()
    done = machine.run("demo")
    assert done.returncode == 2
    assert "neither ensurepip, pip nor uv is there" in done.stderr
    assert done.stderr.endswith("apt-get install -y --no-install-recommends python3-venv\n")
    assert machine.environments() == []


def test_without_an_installer_a_second_python_names_its_own_package(machine: Machine) -> None:
    machine.give_python("python3.12")
    assert machine.run("demo").stderr.endswith("--no-install-recommends python3.12-venv\n")


@pytest.mark.parametrize("tool", ["has-ensurepip", "has-pip"])
def test_the_demo_runs_with_its_arguments_and_the_second_start_installs_nothing(machine: Machine, tool: str) -> None:
    machine.give_python()
    machine.has(tool)
    first = machine.run("demo", "--seconds", "1", "a b")
    assert (first.returncode, first.stdout) == (0, "demo: --seconds\ndemo: 1\ndemo: a b\n")
    assert "    msgspec>=0.19\n" in first.stderr
    [asked] = machine.installs()
    assert asked.endswith(f"-e {machine.checkout}[demo]")
    second = machine.run("demo", "--help")
    assert (second.returncode, second.stdout, second.stderr) == (0, "demo: --help\n", "")
    assert machine.installs() == [asked]
    assert len(machine.environments()) == 1


def test_uv_is_used_where_there_is_no_pip(machine: Machine) -> None:
    machine.give_python()
    machine.give("uv", '#!/bin/sh\necho "uv $* from $UV_INDEX_URL" >>"$TOOLS/calls"\n')
    done = machine.run("demo", PIP_INDEX_URL="http://index.example/simple")
    assert done.returncode == 0
    [asked] = machine.installs()
    assert asked.startswith("uv pip install --python ")
    assert asked.endswith(f"-e {machine.checkout}[demo] from http://index.example/simple")


def test_a_changed_pyproject_renews_the_environment(machine: Machine) -> None:
    machine.give_python()
    machine.has("has-ensurepip")
    machine.run("demo")
    [old] = machine.environments()
    with (machine.checkout / "pyproject.toml").open("a") as pyproject:
        pyproject.write("# changed\n")
    machine.has("offline")
    assert machine.run("demo").returncode == 1
    assert machine.environments() == [old], "the old one goes only when the new one is complete"
    (machine.tools / "offline").unlink()
    assert machine.run("demo").returncode == 0
    [new] = machine.environments()
    assert new != old


def test_an_index_that_does_not_answer_is_named_without_its_credentials(machine: Machine) -> None:
    machine.give_python()
    machine.has("has-ensurepip", "offline")
    (machine.tools / "says").write_text(
        "Looking in indexes: http://robot:s3cr@t@index.example/simple\n"
        "ERROR: Could not find a version that satisfies the requirement hatchling (from versions: none)\n"
    )
    done = machine.run("demo")
    assert done.returncode == 1
    assert "the package index asked was: http://****@index.example/simple" in done.stderr
    assert "did not answer, or lacks a package" in done.stderr
    assert "s3cr" not in done.stderr
    assert machine.environments() == []


def test_an_interrupted_build_leaves_nothing_half_made(machine: Machine) -> None:
    machine.give_python()
    machine.has("has-ensurepip", "slow")
    with subprocess.Popen(
        [machine.checkout / "demo"], env=machine.env, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as running:
        wait_for_file(machine.tools / "installing")
        # As Ctrl-C on a terminal does: to the whole process group.
        os.killpg(running.pid, signal.SIGINT)
        running.communicate()
    assert running.returncode in (130, -signal.SIGINT)
    assert machine.environments() == []


def test_what_a_killed_build_left_is_removed_by_the_next(machine: Machine) -> None:
    machine.give_python()
    machine.has("has-ensurepip")
    half = machine.checkout / ".venv-demo" / "0123456789abcdef.77"
    half.mkdir(parents=True)
    assert machine.run("demo").returncode == 0
    assert not half.exists()
    assert len(machine.environments()) == 1


def test_two_at_once_build_one_environment(machine: Machine) -> None:
    machine.give_python()
    machine.has("has-ensurepip")
    started = [
        subprocess.Popen(
            [machine.checkout / "demo", "x"], env=machine.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(4)
    ]
    ended = [(process.communicate()[0], process.returncode) for process in started]
    assert ended == [(b"demo: x\n", 0)] * 4
    assert len(machine.installs()) == 1
    assert len(machine.environments()) == 1


def test_a_checkout_that_is_not_writable_uses_the_cache_folder(machine: Machine, tmp_path: Path) -> None:
    machine.give_python()
    machine.has("has-ensurepip")
    (machine.checkout / ".venv-demo").touch()  # so that even root cannot make the folder
    assert machine.run("demo", "x", XDG_CACHE_HOME=str(tmp_path / "cache")).stdout == "demo: x\n"
    assert list((tmp_path / "cache" / "ttdn-border").glob("venv-demo-*/current"))
    assert machine.run("demo", "x").stdout == "demo: x\n"
    assert list((tmp_path / "home" / ".cache" / "ttdn-border").glob("venv-demo-*/current"))


def test_the_real_pip_names_the_index_of_its_configuration(machine: Machine) -> None:
    """With this machine's Python and pip's own configuration; at that port nothing listens."""
    (machine.tools / "python3").symlink_to(getattr(sys, "_base_executable", sys.executable))
    config = machine.tools / "pip.conf"
    config.write_text("[global]\nindex-url = http://robot:s3cret@127.0.0.1:9/simple\nretries = 0\n")
    done = machine.run("demo", PIP_CONFIG_FILE=str(config))
    assert done.returncode == 1, done.stderr
    assert "the package index asked was: http://****@127.0.0.1:9/simple" in done.stderr
    assert "s3cret" not in done.stderr
    assert machine.environments() == []
