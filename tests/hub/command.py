"""The real command `ttdn-hub` as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping

COMMAND = [sys.executable, "-m", "hub"]


def environment(database: str = "", **more: str) -> dict[str, str]:
    """Ours without settings of another hub; the database by the environment, so that no process list shows it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TTDN_HUB_")}
    given = {"TTDN_HUB_DATABASE__DSN": database} if database else {}
    return {**kept, **given, "COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb", **more}


def hub(*arguments: str, database: str = "", env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run it to its end."""
    return subprocess.run(
        [*COMMAND, *arguments],
        env={**environment(database), **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
