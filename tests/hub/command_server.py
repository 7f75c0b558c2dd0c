"""Runs `ttdn-hub` once a request, each time in a fresh child of a process that has imported it already.

Half a second of imports is most of what such a test costs. What is run is the real entry point, in a process of its own
with arguments, environment and output of its own; `python -m hub` itself is tested by tests/hub/cli/test_run.py.

A request is a line of JSON on standard input: arguments, env (all of it), stdout and stderr (files). The answer is a
line with the exit code.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import hub.cli.app


def _serve() -> None:
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _become(json.loads(line))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _become(request: dict[str, Any]) -> None:
    """The command, to its very end: what is left undone at its exit is part of what is tested."""
    os.environ.clear()
    os.environ.update(request["env"])
    for file, number in ((os.devnull, 0), (request["stdout"], 1), (request["stderr"], 2)):
        opened = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.argv = ["ttdn-hub", *request["arguments"]]
    hub.cli.app.main()
    sys.exit(0)


if __name__ == "__main__":
    _serve()
