"""A minimal Debian of its own in a folder (debootstrap), to run things in as on a machine just installed."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PROJECT: Final = Path(__file__).resolve().parent.parent
CHECKOUT: Final = "/opt/ttdn-border"
USER: Final = "visitor"
_CA: Final = "/etc/ttdn-test-ca.crt"
_HOST_CA: Final = Path("/etc/ssl/certs/ca-certificates.crt")
_APT: Final = Path("/etc/apt")
# A bind mount of nothing but proc and shared memory, in a mount namespace that ends with the command.
_ENTER: Final = 'mount -t proc proc "$1/proc" && mount -t tmpfs -o mode=1777 shm "$1/dev/shm" && exec chroot "${@:2}"'


@dataclass(frozen=True)
class Debian:
    """A tree below `root` that commands run in; Python's own packages come from where this machine gets them."""

    root: Path

    def run(
        self, *command: str, user: str = "root", env: Mapping[str, str] | None = None, network: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the tree, in the project's folder; its output is kept, whatever its exit code.

        Without `network` there is not even a loopback address.
        """
        home = "/root" if user == "root" else f"/home/{user}"
        inside = ["env", "-C", CHECKOUT, *command]
        return subprocess.run(
            [
                "unshare",
                "--mount",
                *([] if network else ["--net"]),
                "bash",
                "-c",
                _ENTER,
                "enter",
                self.root,
                f"--userspec={user}",
                self.root,
                *inside,
            ],
            env={"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": home, **_network_env(), **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def install(self, *packages: str) -> None:
        """apt-get install, without recommended packages."""
        for command in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
            done = self.run("apt-get", *command, env={"DEBIAN_FRONTEND": "noninteractive"})
            assert done.returncode == 0, done.stdout + done.stderr

    def copy(self, target: Path) -> Debian:
        """The same tree once more, to be changed."""
        subprocess.run(["cp", "-a", "--reflink=auto", self.root, target], check=True)
        return Debian(target)


def make_debian(root: Path, suite: str) -> Debian:
    """A tree of the variant minbase with a copy of the project and one ordinary user, who may not write to the copy."""
    command = ["debootstrap", "--variant=minbase", suite, str(root), mirror_of(apt_sources())]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    for file in ("/etc/resolv.conf", "/etc/hosts", "/etc/pip.conf"):
        if Path(file).exists():
            shutil.copyfile(file, root / file.lstrip("/"))
    if _HOST_CA.exists():
        # Not at the usual place: the package ca-certificates would write over it.
        shutil.copyfile(_HOST_CA, root / _CA.lstrip("/"))
        (root / "etc/apt/apt.conf.d/90test-ca").write_text(f'Acquire::https::CAInfo "{_CA}";\n')
    ignored = shutil.ignore_patterns(".git", ".venv*", "__pycache__", ".*_cache", ".hypothesis", "node_modules")
    shutil.copytree(PROJECT, root / CHECKOUT.lstrip("/"), ignore=ignored)
    debian = Debian(root)
    made = debian.run("useradd", "--create-home", USER)
    assert made.returncode == 0, made.stderr
    return debian


def mirror_of(sources: Iterable[str]) -> str:
    """The first address among apt's sources that carries Debian itself, from either format of such files."""
    for text in sources:
        for line in text.splitlines():
            kind, _, rest = line.strip().partition(" ")
            addresses = [word for word in rest.split() if "://" in word] if kind in ("deb", "URIs:") else []
            for address in addresses:
                if address.rstrip("/").endswith("/debian"):
                    return address
    raise AssertionError(f"no Debian mirror is named in {_APT}/sources.list or {_APT}/sources.list.d")


def apt_sources() -> Iterator[str]:
    for file in (_APT / "sources.list", *sorted((_APT / "sources.list.d").glob("*"))):
        if file.exists():
            yield file.read_text()


def _network_env() -> dict[str, str]:
    """How this machine reaches its package index, where it is said in variables and not by a path of this machine."""
    local = ("PIP_FIND_LINKS", "PIP_CERT", "PIP_CACHE_DIR", "PIP_CONFIG_FILE")
    kept = {
        name: value
        for name, value in os.environ.items()
        if (name.startswith("PIP_") and name not in local) or name.lower().endswith("_proxy")
    }
    return {**kept, "PIP_CERT": _CA, "SSL_CERT_FILE": _CA} if _HOST_CA.exists() else kept
