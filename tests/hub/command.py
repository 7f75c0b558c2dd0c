"""The real command `ttdn-hub` as a process of its own."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

COMMAND = [sys.executable, "-m", "hub"]
_PATIENCE_S: Final = 60


def environment(database: str = "", **more: str) -> dict[str, str]:
    """Ours without settings of another hub; the database by the environment, so that no process list shows it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TTDN_HUB_")}
    given = {"TTDN_HUB_DATABASE__DSN": database} if database else {}
    return {**kept, **given, "COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb", **more}


def hub(*arguments: str, database: str = "", env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run it to its end."""
    with tempfile.TemporaryDirectory() as folder:
        files = {name: str(Path(folder) / name) for name in ("stdout", "stderr")}
        code = _server().run({"arguments": arguments, "env": {**environment(database), **(env or {})}, **files})
        out, err = (Path(file).read_text() for file in files.values())
    return subprocess.CompletedProcess([*COMMAND, *arguments], code, out, err)


class _Server:
    """`command_server` for as long as the tests of this process run; it ends with our end of its standard input."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.hub.command_server"],
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )

    def run(self, request: Mapping[str, object]) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(request), file=self._process.stdin, flush=True)
        if not select.select([self._process.stdout], [], [], _PATIENCE_S)[0]:
            self._process.kill()
            _server.cache_clear()
            raise TimeoutError(f"ttdn-hub {request['arguments']} does not end")
        return int(self._process.stdout.readline())


@cache
def _server() -> _Server:
    return _Server()
