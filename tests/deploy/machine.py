"""A Debian tree as a machine that runs: processes, loopback and ports of its own, units started from their very files.

systemd is not what boots it, so what a unit says of user, groups, capabilities, folders and environment is done here by
`setpriv`, and READY=1 is listened for as systemd would. What only systemd can do (sandboxes, watchdogs, restarts) is
not.
"""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

_HOLD: Final = (
    'ip link set lo up && mount -t proc proc "$1/proc" && mount -t tmpfs -o mode=1777 shm "$1/dev/shm" '
    '&& mkdir -p "$1/dev/pts" && mount -t devpts -o newinstance,ptmxmode=0666 pts "$1/dev/pts" '
    '&& echo up && exec chroot "$1" sleep infinity'
)
_PATH: Final = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
_READY_S: Final = 60.0


class Unit:
    """A service as its file describes it."""

    def __init__(self, file: Path) -> None:
        self.name = file.stem
        self.entries: dict[str, list[str]] = {}
        for line in file.read_text(encoding="utf-8").splitlines():
            key, is_entry, value = line.partition("=")
            if is_entry and not line.startswith(("#", "[")):
                self.entries.setdefault(key, []).append(value)

    def one(self, key: str, default: str = "") -> str:
        """The last value of a key."""
        return self.entries.get(key, [default])[-1]

    def command(self) -> list[str]:
        """What starts it, as its user, in a tree."""
        user = self.one("User", "root")
        words = ["setpriv", "--reuid", user, "--regid", self.one("Group", user), "--init-groups"]
        bounding, ambient = self.one("CapabilityBoundingSet"), self.one("AmbientCapabilities")
        words += ["--no-new-privs", f"--bounding-set={_caps(bounding)}"]
        if ambient:
            words += [f"--inh-caps={_caps(ambient)}", f"--ambient-caps={_caps(ambient)}"]
        return [*words, "--", *shlex.split(self.one("ExecStart"))]

    def environ(self) -> dict[str, str]:
        """The variables that it names."""
        return dict(pair.split("=", 1) for line in self.entries.get("Environment", []) for pair in shlex.split(line))


class Machine:
    """Up while the context lasts; its end is a power cut."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._holder: subprocess.Popen[str] | None = None
        self._first = 0
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        command = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "bash", "-c", _HOLD, "hold"]
        self._holder = subprocess.Popen([*command, self.root], stdout=subprocess.PIPE, text=True)
        assert self._holder.stdout is not None
        assert self._holder.stdout.readline() == "up\n"
        self._first = _child(self._holder.pid)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._holder is not None
        os.kill(self._first, signal.SIGKILL)  # the first process of its namespace: all others go with it
        self._holder.wait(30)
        assert self._holder.stdout is not None
        self._holder.stdout.close()
        for process in self.running.values():
            process.wait(30)

    def run(
        self, *command: str, env: dict[str, str] | None = None, given: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """As root; `given` is its standard input."""
        source = {"input": given} if given is not None else {"stdin": subprocess.DEVNULL}
        return subprocess.run(
            self._inside(command), env=_environ(env), capture_output=True, text=True, check=False, **source
        )

    def said(self, *command: str, code: int = 0, given: str | None = None) -> str:
        """What a command says, which ends with this code."""
        done = self.run(*command, given=given)
        assert done.returncode == code, f"{shlex.join(command)}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def sh(self, line: str, code: int = 0) -> str:
        """A line of a document."""
        return self.said("sh", "-c", line, code=code)

    def typed(self, line: str, prompt: str, answers: Sequence[str]) -> str:
        """A line at a terminal, and what a person answers whenever the prompt has come."""
        said = b""
        command = self._inside(["timeout", "--kill-after=1", "60", "script", "-qec", line, "/dev/null"])
        with subprocess.Popen(
            command, env=_environ(None), stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            for number, answer in enumerate(answers, start=1):
                while said.count(prompt.encode()) < number and (more := process.stdout.read(1)):
                    said += more
                process.stdin.write(f"{answer}\n".encode())
            said += process.stdout.read()
        assert process.returncode == 0, said.decode(errors="replace")
        return said.decode(errors="replace")

    def start(self, name: str) -> None:
        """A service, from its file in the tree; returns when it says that it is ready, if it ever does."""
        unit = Unit(self.root / "etc/systemd/system" / f"{name}.service")
        for made in unit.one("RuntimeDirectory").split():
            owner = f"{unit.one('User', 'root')}:{unit.one('Group', 'root')}"
            self.said("install", "-d", "-m", unit.one("RuntimeDirectoryMode", "0755"), f"/run/{made}")
            self.said("chown", owner, f"/run/{made}")
        log = self.root / "var/log" / f"{name}.log"
        environ = unit.environ()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear, log.open("ab") as output:
            if unit.one("Type") == "notify":
                environ["NOTIFY_SOCKET"] = f"/run/{name}.notify"
                place = self.root / f"run/{name}.notify"
                place.unlink(missing_ok=True)
                folder = os.open(place.parent, os.O_RDONLY)
                ear.bind(f"/proc/self/fd/{folder}/{place.name}")  # a test's own path does not fit into a socket's name
                os.close(folder)
                place.chmod(0o777)
            self.running[name] = subprocess.Popen(
                self._inside(unit.command()),
                env=_environ(environ),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
            if unit.one("Type") == "notify":
                _wait_ready(ear, self.running[name], log)

    def pid(self, name: str) -> int:
        """The service's first process, as this machine's host sees it."""
        return _child(self.running[name].pid)

    def log(self, name: str) -> str:
        """What it has written."""
        return (self.root / "var/log" / f"{name}.log").read_text(errors="replace")

    def _inside(self, command: Sequence[str]) -> list[str]:
        assert self._first
        enter = ["nsenter", "--target", str(self._first), "--mount", "--net", "--pid"]
        return [*enter, "chroot", str(self.root), *command]


def _environ(given: dict[str, str] | None) -> dict[str, str]:
    return {"PATH": _PATH, "HOME": "/root", "LC_ALL": "C.UTF-8", **(given or {})}


def _caps(names: str) -> str:
    """As setpriv has it: all are taken away but these."""
    return ",".join(["-all", *(f"+{name.removeprefix('CAP_').lower()}" for name in names.split())])


def _child(pid: int) -> int:
    """Of a process that has one, or is about to."""
    for _ in range(500):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if children:
            return int(children[0])
        time.sleep(0.01)
    raise AssertionError(f"process {pid} has started nothing")


def _wait_ready(ear: socket.socket, process: subprocess.Popen[bytes], log: Path) -> None:
    ear.settimeout(0.5)
    end = time.monotonic() + _READY_S
    while time.monotonic() < end:
        try:
            if b"READY=1" in ear.recv(4096):
                return
        except TimeoutError:
            assert process.poll() is None, log.read_text(errors="replace")[-3000:]
    raise AssertionError(f"never ready: {log.read_text(errors='replace')[-3000:]}")
