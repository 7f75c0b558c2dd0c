"""The agent as a kiosk has it: in an environment of its own, with its own dependencies and nothing else."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

from tests.regenerate import ROOT


def install_agent(folder: Path) -> Path:
    """Make the environment from this checkout; the command `ttdn-agent` in it.

    What a developer has installed besides is found by the agent's libraries and costs a megabyte that no kiosk pays.
    """
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    command = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        python,
        "install",
        "--quiet",
        "--disable-pip-version-check",
        ROOT,
    ]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"the agent cannot be installed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return folder / "bin" / "ttdn-agent"
