"""A bare system as a folder of tools: what ./demo and ./test find in PATH, with Python played by a script."""

from __future__ import annotations

import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
# What every Debian has (packages marked Essential), and bootstrap.sh may use.
ESSENTIAL = (
    *("cat", "cut", "dirname", "env", "flock", "grep", "head", "id", "ln", "mkdir", "mv", "readlink", "rm", "sed"),
    *("sh", "sha256sum", "sleep", "tail", "tee", "touch"),
)
# Plays the system's Python and, copied into what it makes, that of the environment. Its files, beside it in PATH, say
# what it can do; `calls` keeps what it was asked.
FAKE_PYTHON = r"""#!/bin/sh
printf '%s\n' "$*" >>"$TOOLS/calls"
case "$*" in
    *sys.version_info*) [ ! -e "$TOOLS/old" ] ;;
    *"print(sys.version"*) echo "fake" ;;
    "-m venv --without-pip "*) mkdir -p "$4/bin" && sed 1,1b "$0" >"$4/bin/python" && chmod +x "$4/bin/python" ;;
    "-m ensurepip") [ -e "$TOOLS/has-ensurepip" ] ;;
    "-m pip --python "*" --version") [ -e "$TOOLS/has-pip" ] ;;
    *" install "*)
        [ ! -e "$TOOLS/slow" ] || { touch "$TOOLS/installing" && sleep 600; }
        cat "$TOOLS/says"
        [ ! -e "$TOOLS/offline" ]
        ;;
    "-m pytest"*) shift 2 && printf 'pytest: %s\n' "$@" ;;
    "-P -m simulator.demo"*) shift 3 && printf 'demo: %s\n' "$@" ;;
esac
"""


@dataclass(frozen=True)
class Machine:
    """A checkout and a PATH of its own."""

    checkout: Path
    tools: Path
    env: dict[str, str]

    def has(self, *names: str) -> None:
        for name in names:
            (self.tools / name).touch()

    def give_python(self, name: str = "python3") -> None:
        self.give(name, FAKE_PYTHON)

    def give(self, name: str, script: str) -> None:
        (self.tools / name).unlink(missing_ok=True)
        (self.tools / name).write_text(script)
        (self.tools / name).chmod(0o755)

    def give_user(self, uid: int) -> None:
        self.give("id", f"#!/bin/sh\necho {uid}\n")

    def run(self, name: str, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """One of the project's scripts, from a folder that is not the project's."""
        return subprocess.run(
            [self.checkout / name, *arguments],
            env={**self.env, **env},
            cwd=self.tools,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def calls(self) -> list[str]:
        file = self.tools / "calls"
        return file.read_text().splitlines() if file.exists() else []

    def installs(self) -> list[str]:
        return [call for call in self.calls() if " install " in call]

    def environments(self) -> list[str]:
        """The names of what was made for ./demo, complete or not."""
        return sorted(entry.name for entry in (self.checkout / ".venv-demo").glob("*.[0-9]*"))


def make_machine(tmp_path: Path) -> Machine:
    """A checkout of an ordinary user, with no Python yet."""
    checkout, tools = tmp_path / "check out", tmp_path / "tools"
    (checkout / "deploy").mkdir(parents=True)
    for name in ("demo", "test", "deploy/bootstrap.sh", "pyproject.toml"):
        shutil.copy(PROJECT / name, checkout / name)
    tools.mkdir()
    for name in (*ESSENTIAL, "chmod"):
        found = shutil.which(name)
        assert found is not None
        (tools / name).symlink_to(found)
    (tools / "says").write_text("Collecting msgspec>=0.19\n")
    machine = Machine(
        checkout, tools, {"PATH": str(tools), "SBIN": "", "TOOLS": str(tools), "HOME": str(tmp_path / "home")}
    )
    machine.give_user(1000)
    return machine


def wait_for_file(file: Path) -> None:
    deadline = time.monotonic() + 60
    while not file.exists():
        assert time.monotonic() < deadline, f"{file} did not appear"
        time.sleep(0.02)
