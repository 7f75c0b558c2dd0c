"""A Debian of another processor in a folder, whose programs the host's qemu runs one by one.

The kernel hands them to qemu by a binfmt_misc of the namespaces that each command runs in, so that nothing of it is to
be seen on the host; that takes Linux 6.7. Times and memory there say nothing of a real machine.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.debian import apt_sources, mirror_of

QEMU: Final = "qemu-aarch64-static"
_MAGIC: Final = r"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00"
_MASK: Final = r"\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff"
# Registered with F: qemu is opened now, so that the tree need not hold it. It lasts as long as its mount,
# which the next one hides. `read` waits until users are mapped.
_ENTER: Final = """
echo mapped?; read -r _
mkdir -p "$1/mnt" "$1/proc" "$1/dev" "$1/tmp" "$1/run"
mount -t binfmt_misc binfmt_misc "$1/proc"
printf %s ":ttdn-test:M::$2:$3:$4:F" >"$1/proc/register"
mount -t proc proc "$1/proc"
mount -t tmpfs -o mode=755 dev "$1/dev"
for node in null zero random urandom; do : >"$1/dev/$node"; mount --bind "/dev/$node" "$1/dev/$node"; done
mkdir "$1/dev/shm"; chmod 1777 "$1/dev/shm"
root=$1; shift 4
exec chroot "$root" "$@"
"""
_ENVIRON: Final = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": "/root", "LC_ALL": "C.UTF-8"}


@dataclass(frozen=True)
class Emulated:
    """A tree below `root`; it shares the host's network, so 127.0.0.1 is where a test's servers are."""

    root: Path

    def start(self, *command: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """A command, as root in the tree; its output comes through one pipe. It is to be waited for, or killed."""
        qemu = shutil.which(QEMU)
        assert qemu is not None, "apt-get install -y --no-install-recommends qemu-user-static"
        namespaces = ["unshare", "--user", "--mount", "--pid", "--fork"]
        process = subprocess.Popen(
            [*namespaces, "sh", "-euc", _ENTER, "enter", str(self.root), _MAGIC, _MASK, qemu, *command],
            env={**_ENVIRON, **(env or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "mapped?\n"
        for kind in ("uid", "gid"):
            Path(f"/proc/{process.pid}/{kind}_map").write_text("0 0 65536\n")
        process.stdin.write("yes\n")
        process.stdin.flush()
        return process

    def kill(self, process: subprocess.Popen[str]) -> str:
        """The first process of its namespace, and so all of them; what they said."""
        for first in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
            os.kill(int(first), signal.SIGKILL)  # not through unshare: who changes its user outlives --kill-child
        return process.communicate()[0]

    def said(self, *command: str, code: int = 0, given: str = "") -> str:
        """All that a command says; it has to end with this code. `given` is its standard input."""
        process = self.start(*command)
        said, _ = process.communicate(given)
        assert process.returncode == code, f"{command}: {process.returncode}\n{said}"
        return said


def make_arm64(root: Path, suite: str) -> Emulated:
    """debootstrap's variant minbase with Python, unpacked and not configured: that would take a quarter of an hour."""
    release = tuple(int(part) for part in os.uname().release.split(".")[:2])
    assert release >= (6, 7), f"Linux {os.uname().release} has no binfmt_misc of namespaces; 6.7 has"
    options = ["--foreign", "--arch=arm64", "--variant=minbase", "--include=python3"]
    command = ["debootstrap", *options, suite, str(root), mirror_of(apt_sources())]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    for package in sorted((root / "var/cache/apt/archives").glob("*.deb")):
        subprocess.run(["dpkg-deb", "--extract", package, root], check=True)
    for name in ("passwd", "group"):  # what the package base-passwd does when it is configured
        shutil.copyfile(root / f"usr/share/base-passwd/{name}.master", root / "etc" / name)
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n")
    return Emulated(root)
