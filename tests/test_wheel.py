"""What a kiosk installs: the wheel, with the agent's own dependencies and nothing of the hub's."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator.ports import HOST
from tests.edge_agent.hand_hub import dead_port
from tests.regenerate import ROOT

AGENTS_OWN = {"ttdn-border", "cffi", "cryptography", "msgspec", "paho-mqtt", "pycparser", "websockets"}
TOOLS = {"pip", "setuptools", "wheel"}


def run(*command: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TTDN_", "PYTHON"))}
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=170, env=kept, cwd=cwd)


def done(*command: str | Path, cwd: Path | None = None) -> str:
    finished = run(*command, cwd=cwd)
    assert finished.returncode == 0, f"{command}\n{finished.stdout[-2000:]}\n{finished.stderr[-4000:]}"
    return finished.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, so that nothing of the build is left in the repository."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in ("contract", "edge_agent", "hub", "dashboards", "simulator"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    done(sys.executable, "-m", "build", "--wheel", "--outdir", folder, source)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def kiosk(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of an environment in which nothing but the wheel was asked for."""
    folder = tmp_path_factory.mktemp("kiosk")
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    done(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--disable-pip-version-check", wheel)
    return folder / "bin"


@pytest.fixture
def config(tmp_path: Path) -> Iterator[Path]:
    file = tmp_path / "agent.toml"
    with dead_port() as port:
        file.write_text(
            f"device = 'bg-20-cma-k1'\nstate_folder = '{tmp_path}/state'\nruntime_folder = '{tmp_path}/run'\n"
            f"[mqtt]\nbrokers = [{{host = '{HOST}', port = {port}, tls = false}}]\n[probes.system]\n"
        )
        yield file


def test_nothing_of_the_hub_is_installed(kiosk: Path) -> None:
    listed = done(sys.executable, "-m", "pip", "--python", kiosk / "python", "list", "--format", "json")
    assert {package["name"].lower().replace("_", "-") for package in json.loads(listed)} - TOOLS == AGENTS_OWN


def test_the_agent_runs_from_it(kiosk: Path, config: Path, tmp_path: Path) -> None:
    agent = kiosk / "ttdn-agent"
    assert "exit codes" in done(agent, "--help", cwd=tmp_path)
    assert "is well" in done(agent, "--config", config, "check-config", "--lang", "en", cwd=tmp_path)
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen([agent, "--config", config, "run"], stderr=log, cwd=tmp_path)
    try:
        deadline = time.monotonic() + 60
        while (status := run(agent, "--config", config, "status", "--json", cwd=tmp_path)).returncode != 1:
            assert time.monotonic() < deadline, (status, (tmp_path / "log").read_text())
            time.sleep(0.2)
        (problem,) = json.loads(status.stdout)["problems"]
        assert problem.startswith("no connection to a broker")
        process.terminate()
        assert process.wait(60) == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(60)
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_it_loads_none_of_the_hubs_packages(kiosk: Path, tmp_path: Path) -> None:
    program = "import sys, edge_agent.cli; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    loaded = set(done(kiosk / "python", "-c", program, cwd=tmp_path).split())
    assert not loaded & {"hub", "simulator", "dashboards", "psycopg", "fastapi", "pydantic", "cryptography", "asyncio"}


@pytest.mark.full
def test_the_hub_runs_from_its_extra(wheel: Path, tmp_path: Path) -> None:
    folder = tmp_path / "hub"
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    done(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", f"{wheel}[hub]")
    assert "migrate" in done(folder / "bin" / "ttdn-hub", "--help", cwd=tmp_path)


def test_the_hub_says_what_it_lacks_on_a_kiosk(kiosk: Path, tmp_path: Path) -> None:
    said = run(kiosk / "ttdn-hub", "--help", cwd=tmp_path)
    assert said.returncode == 2
    assert said.stderr.startswith("ttdn-hub: ")
    assert said.stderr.endswith("run: pip install 'ttdn-border[hub]'\n")
