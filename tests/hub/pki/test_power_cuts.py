"""Power off at any step of `pki init`, and of writing a revocation: the next run goes on."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.regenerate import ROOT


def test_the_folder_is_whole_after_a_death_at_any_step(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "tests.hub.pki.dying", str(tmp_path / "hub")],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    if ran.returncode:
        pytest.fail(ran.stderr)
    init, revocation = map(json.loads, ran.stdout.splitlines())
    assert (init["wrong"], revocation["wrong"]) == ("", "")
    assert init["steps"] > 20
    assert revocation["steps"] > 5
