"""Runs one step of the identity in a process that SIGKILLs itself before its nth durable operation.

A process that has loaded everything forks for each order it reads, so that going through all n is cheap. An order is a
line of JSON, `Order`; the answer a line: "killed", "done" or what went wrong.
"""

from __future__ import annotations

import encodings.ascii
import encodings.idna
import http.client
import itertools
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct

from contract.enrol_code import parse_enrol_code
from edge_agent.cli.enrol import become_owner
from edge_agent.clock import wall_ms
from edge_agent.identity import keys, keytool, renewing
from edge_agent.identity.keys import Answer, KeytoolFailed
from edge_agent.identity.steps import Means, enrol
from edge_agent.identity.store import IdentityStore
from edge_agent.tls import Moment

LOADED = (encodings.ascii, encodings.idna, time.strptime("1970", "%Y"))
"""Before a process becomes a user who may not read this interpreter."""
_DURABLE = ("fsync", "rename", "replace", "symlink", "mkdir", "rmdir", "unlink")


class Order(Struct, frozen=True):
    do: Literal["enrol", "renew"]
    folder: str
    url: str = ""
    code: str = ""
    die_before: int = 0
    """0: live."""
    become_owner: bool = False


class Driver:
    """The forking process."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", __spec__.name]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def run(self, order: Order) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(msgspec.json.encode(order) + b"\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().decode().strip()

    def close(self) -> None:
        self._process.communicate(timeout=60)


@contextmanager
def driving() -> Iterator[Driver]:
    driver = Driver()
    try:
        yield driver
    finally:
        driver.close()


def in_this_process(*arguments: str, given: bytes = b"") -> Answer:
    try:
        return keytool.answer(list(arguments), given)
    except keytool.Unfit as error:
        raise KeytoolFailed(str(error)) from error


def _die_before(number: int) -> None:
    count = itertools.count(1)

    def counted(real: Callable[..., Any]) -> Callable[..., Any]:
        def operation(*arguments: Any, **named: Any) -> Any:
            if next(count) == number:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*arguments, **named)

        return operation

    for name in _DURABLE:
        setattr(os, name, counted(getattr(os, name)))
    http.client.HTTPConnection.getresponse = counted(  # type: ignore[method-assign]
        http.client.HTTPConnection.getresponse
    )


def _do(order: Order) -> str:
    keys._run = in_this_process
    if order.become_owner:
        become_owner(Path(order.folder))
    if order.die_before:
        _die_before(order.die_before)
    if order.do == "enrol":
        means = Means(now=lambda floor_ms: Moment(max(floor_ms, wall_ms()), certain=True))
        enrol(IdentityStore(Path(order.folder)), order.url, parse_enrol_code(order.code), means)
        return "done"
    outcome = renewing.run(Path(order.folder), Moment(wall_ms(), certain=True))
    return outcome.error or "done"


def main() -> None:
    out = sys.stdout.buffer
    for line in sys.stdin.buffer:
        order = msgspec.json.decode(line, type=Order)
        reads, writes = os.pipe()
        if not (child := os.fork()):
            try:
                said = _do(order)
            except Exception:  # noqa: BLE001 - whatever it is, the test shows it
                said = traceback.format_exc()
            os.write(writes, said.encode())
            os._exit(0)
        os.close(writes)
        _, status = os.waitpid(child, 0)
        with os.fdopen(reads, "rb") as answer:
            said = answer.read().decode()
        out.write(("killed" if os.WIFSIGNALED(status) else said).replace("\n", " ").encode() + b"\n")
        out.flush()


if __name__ == "__main__":
    main()
