"""A folder of wheels as wheels.sh makes it, and what in it can be made by hand."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

DEPLOY: Final = Path(__file__).resolve().parents[2] / "deploy" / "agent"
PARTS: Final = ("install.sh", "uninstall.sh", "agent.first.toml", "systemd", "players")


def python_with_pip() -> str:
    """The one that runs pip for wheels.sh: uv makes environments without it."""
    for python in (sys.executable, "python3"):
        if subprocess.run([python, "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0:
            return python
    raise AssertionError("wheels.sh needs pip: apt-get install -y --no-install-recommends python3-pip")


def make_wheels(folder: Path, arch: str, python: str, *options: str) -> Path:
    """The real thing, from this checkout."""
    command = ["sh", str(DEPLOY / "wheels.sh"), "--arch", arch, "--python", python, "--output", str(folder), *options]
    environ = {**os.environ, "PYTHON": python_with_pip()}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def make_folder(folder: Path, *, arch: str, python: str) -> Path:
    """One without wheels, for what is looked at before they are needed."""
    folder.mkdir()
    for part in PARTS:
        source = DEPLOY / part
        (shutil.copytree if source.is_dir() else shutil.copyfile)(source, folder / part)
    shutil.copyfile(DEPLOY.parent / "steps.sh", folder / "steps.sh")
    (folder / "FOLDER").write_text(f"program=ttdn-agent\nversion=9.9.9\narch={arch}\npython={python}\n")
    (folder / "pip-0-py3-none-any.whl").touch()
    sign(folder)
    return folder


def sign(folder: Path) -> None:
    """Write SHA256SUMS over everything."""
    files = sorted(file for file in folder.rglob("*") if file.is_file() and file.name != "SHA256SUMS")
    lines = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.relative_to(folder)}\n" for file in files]
    (folder / "SHA256SUMS").write_text("".join(lines))
