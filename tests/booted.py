"""A Debian tree that its own systemd has booted, as PID 1 of namespaces: units run as they would on a kiosk.

What differs from a machine: the kernel, the clock and the network are the host's (so 127.0.0.1 is where a test's
servers are), no devices but null and its kin, /sys and /proc/sys can only be read. Limits of groups (MemoryMax) hold as
far as the host has their controllers in its cgroup2; all that systemd does by namespaces, seccomp and rlimits is done.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tests.debian import Debian
from tests.patience import until

# A group of its own in the host's cgroup2, wherever that is mounted; then the namespaces, whose root that group is.
_GROUP: Final = """
mount --make-rprivate / && mount -t cgroup2 cgroup2 "$1/mnt" && mkdir "$1/mnt/$2" && echo $$ >"$1/mnt/$2/cgroup.procs"
umount "$1/mnt"
exec unshare --cgroup --pid --uts --ipc --mount --fork --kill-child=SIGKILL bash -euc "$3" boot "$1"
"""
_BOOT: Final = """
mount --bind "$1" "$1"
cd "$1"
mount -t proc proc proc
mount --bind -o ro proc/sys proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 dev dev
for node in null zero full random urandom tty; do : >dev/$node; mount --bind /dev/$node dev/$node; done
ln -s /proc/self/fd dev/fd
ln -s pts/ptmx dev/ptmx
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=666,mode=620 devpts dev/pts
mount -t tmpfs -o mode=1777 shm dev/shm
mount -t tmpfs -o mode=755 run run
mkdir run/host
pivot_root . run/host
umount -l /run/host
rmdir /run/host
exec env -i container=ttdn-test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    setpriv --bounding-set=-sys_time,-sys_module,-sys_boot,-syslog,-mac_admin,-mac_override /lib/systemd/systemd
"""
_ENVIRON: Final = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": "/root", "LC_ALL": "C.UTF-8"}
_END_S: Final = 60.0


class Booted:
    """Up while the context lasts; its end is a power cut. The tree needs the package systemd."""

    def __init__(self, debian: Debian) -> None:
        self.root = debian.root
        self._group = f"ttdn-test-{os.getpid()}-{time.monotonic_ns()}"
        self._outer: subprocess.Popen[bytes] | None = None
        self._init = 0

    def __enter__(self) -> Self:
        command = ["unshare", "--mount", "bash", "-euc", _GROUP, "group", str(self.root), self._group, _BOOT]
        self._outer = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            self._init = until(self._first_child, "the first process")
            until(self._is_up, "systemd has booted")
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            print(self.run("journalctl", "--no-pager", "-n", "100").stdout)
        self._end()

    def run(self, *command: str, given: str = "") -> subprocess.CompletedProcess[str]:
        """As root, with this standard input; its output is kept, whatever its exit code."""
        inside = ["nsenter", "--target", str(self._init), "--all", "--", *command]
        return subprocess.run(inside, env=_ENVIRON, input=given, capture_output=True, text=True, check=False)

    def said(self, *command: str, code: int = 0, given: str = "") -> str:
        """All that a command says; it has to end with this code."""
        done = self.run(*command, given=given)
        assert done.returncode == code, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def shown(self, unit: str, *properties: str) -> list[str]:
        """What `systemctl show` has of them, in this order."""
        lines = self.said("systemctl", "show", unit, *(f"--property={name}" for name in properties)).splitlines()
        values = dict(line.split("=", 1) for line in lines)
        return [values[name] for name in properties]

    def journal(self, unit: str) -> str:
        """Of this boot."""
        return self.said("journalctl", "--no-pager", "--boot", "--output=cat", f"--unit={unit}")

    def host_pid(self, pid: str) -> int:
        """The process that has this number inside."""
        for status in Path("/proc").glob("[0-9]*/status"):
            try:
                text = status.read_text()
                ours = os.readlink(status.with_name("ns") / "pid") == os.readlink(f"/proc/{self._init}/ns/pid")  # noqa: PTH115
            except (OSError, UnicodeDecodeError):
                continue  # it has ended
            inside = next(line for line in text.splitlines() if line.startswith("NSpid:")).split()[-1]
            if ours and inside == pid:
                return int(status.parent.name)
        raise AssertionError(f"no process {pid} in {self.root}")

    def _first_child(self) -> int:
        """PID 1, once it is systemd."""
        pid = self._lives()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if not children or Path(f"/proc/{children[0]}/comm").read_text() != "systemd\n":
            return 0
        return int(children[0])

    def _lives(self) -> int:
        """What holds the namespaces."""
        assert self._outer is not None
        if self._outer.poll() is not None:
            said = self._outer.communicate()[1].decode(errors="replace")
            raise AssertionError(f"{self.root} did not boot: exit code {self._outer.returncode}\n{said}")
        return self._outer.pid

    def _is_up(self) -> bool:
        self._lives()
        return self.run("systemctl", "is-system-running").stdout.strip() in ("running", "degraded")

    def _end(self) -> None:
        assert self._outer is not None
        if self._init:
            try:
                os.kill(self._init, signal.SIGKILL)  # all others of its namespace go with it
            except ProcessLookupError:
                self._init = 0
        else:
            self._outer.kill()
        self._outer.communicate(timeout=_END_S)
        self._outer, self._init = None, 0
        clear = 'mount -t cgroup2 cgroup2 "$1/mnt"; find "$1/mnt/$2" -depth -type d -exec rmdir {} +'
        subprocess.run(["unshare", "--mount", "sh", "-c", clear, "clear", str(self.root), self._group], check=True)
