"""Packages to update with: the smallest agent that an update knows, and a machine to install it on."""

from __future__ import annotations

import base64
import ensurepip
import hashlib
import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from contract.release import Manifest
from edge_agent.update.fitness import Here
from edge_agent.update.installer import Installer, Means
from edge_agent.update.places import READY, Places
from hub.releases.keys import make_key
from hub.releases.pack import Wanted, pack

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
MACHINE = Here("0.1.0", "x86_64", PYTHON)
_USUAL = Wanted()
NOW = datetime(2026, 11, 1, tzinfo=UTC)
AGENT = """
import json, os, pathlib, sys, time
VERSION, MOOD = {version!r}, {mood!r}
STATE = pathlib.Path({state!r})

def read(name, otherwise):
    file = STATE / name
    return json.loads(file.read_text()) if file.exists() else otherwise

def agent():
    try:
        found = (STATE / "running").read_text().split(maxsplit=2)
        os.kill(int(found[0]), 0)
    except (OSError, ValueError, IndexError):
        return []
    return found

def main():
    arguments = sys.argv[3:] if sys.argv[1] == "--config" else sys.argv[1:]
    command = arguments[0]
    if command == "--version":
        print("ttdn-agent", "9.9.9" if MOOD == "lies" else VERSION)
    elif command == "run":
        if MOOD == "crashes":
            sys.exit("it crashed")
        if MOOD != "hangs":
            (STATE / "running").write_text(f"{{os.getpid()}} {{VERSION}} {{MOOD}}")
        time.sleep(600)
    elif command == "status":
        runs = agent()
        told = {{"running": bool(runs)}}
        print(json.dumps(told | {{"status": {{"version": runs[1], "more": 1}}}} if runs else told))
    elif command == "doctor" and MOOD == "mute":
        return 2
    elif command == "doctor":
        weather, chance = read("weather", {{}}), read("chance", [])
        link, hub = weather.get("link", "ok"), weather.get("hub", "ok")
        heard = link == hub == "ok" and agent()[2:] != ["deaf"]
        checks = {{"storage": "ok", "probe.mpv": "fail" if MOOD == "breaks" else "ok", "tls.x": "fail"}}
        checks |= {{"broker.x": link, "receipt": "ok" if heard else "fail"}}
        if chance:
            checks["chance"] = chance.pop(0)
            (STATE / "chance").write_text(json.dumps(chance))
        print(json.dumps({{"outcome": "fail", "checks": [{{"id": i, "outcome": o}} for i, o in checks.items()]}}))
        return 1
    elif command == "outbox-schema":
        schema = STATE / "schema"
        if "--back-to" in arguments:
            schema.write_text(arguments[-1])
        else:
            print(json.dumps({{"schema": {schema}, "back_to": {back_to}}}))
    elif command == "check-config" and MOOD == "refuses the configuration":
        sys.exit("mqtt: unknown")
    return 0
"""


class Kind(NamedTuple):
    """What a version is like."""

    version: str = "0.2.0"
    mood: str = "well"
    schema: int = 1
    back_to: int = 1


def make_wheel(folder: Path, name: str, version: str, files: Mapping[str, str], script: str = "") -> Path:
    """A wheel by hand: a zip with its own list of contents."""
    info = f"{name}-{version}.dist-info"
    contents = dict(files)
    contents[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    contents[f"{info}/WHEEL"] = "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    if script:
        contents[f"{info}/entry_points.txt"] = f"[console_scripts]\n{script}\n"
    rows = [f"{path},sha256={_digest(text)},{len(text.encode())}" for path, text in contents.items()]
    contents[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,"]) + "\n"
    file = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as archive:
        for path, text in contents.items():
            archive.writestr(path, text)
    return file


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")


def wheels_folder(folder: Path, version: str, arch: str = "x86_64", python: str = PYTHON) -> Path:
    """Finish a folder as wheels.sh does: pip, what it is, and the sums."""
    pip = next((Path(ensurepip.__file__).parent / "_bundled").glob("pip-*.whl"))
    (folder / pip.name).write_bytes(pip.read_bytes())
    (folder / "FOLDER").write_text(f"version={version}\narch={arch}\npython={python}\n")
    sums = [f"{hashlib.sha256(one.read_bytes()).hexdigest()}  {one.name}" for one in sorted(folder.iterdir())]
    (folder / "SHA256SUMS").write_text("\n".join(sums) + "\n")
    return folder


def quick_build(_manifest: Manifest, wheels: Path, side: Path) -> None:
    """In place of an environment and pip, which take seconds: the little agent as a script."""
    shutil.rmtree(side, ignore_errors=True)
    (side / "bin").mkdir(parents=True)
    with zipfile.ZipFile(next(wheels.glob("ttdn_border-*.whl"))) as archive:
        write_agent(side / "bin" / "ttdn-agent", archive.read("little_agent.py").decode())


def write_agent(file: Path, text: str) -> None:
    """The little agent as a script."""
    file.write_text(f"#!{sys.executable} -S\n{text}\nsys.exit(main())\n")
    file.chmod(0o755)


class Machine:
    """A kiosk in a folder: version 0.1.0 runs as side a, kept by a supervisor that this process plays."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.places = Places(
            folder / "opt", folder / "root", folder / "state", folder / "release.pub", Path("/etc/agent.toml")
        )
        for made in (self.places.root, self.places.inbox):
            made.mkdir(parents=True)
        make_key(folder / "release.key", self.places.key)
        (self.places.agent_state / "schema").write_text("1")
        self._install_first()
        self._write_supervisor()

    def package(
        self,
        kind: Kind,
        *,
        arch: str = "x86_64",
        wanted: Wanted = _USUAL,
        key: str | Path = "release.key",
        ballast: int = 0,
    ) -> Path:
        """A signed package of the little agent, larger by so many bytes."""
        folder = self.folder / f"wheels-{time.monotonic_ns()}"
        folder.mkdir()
        files = {"little_agent.py": self.text(kind), "ballast.txt": "x" * ballast}
        make_wheel(folder, "ttdn_border", kind.version, files, "ttdn-agent = little_agent:main")
        output = folder / "package.ttdn"
        pack(wheels_folder(folder, kind.version, arch), self.folder / key, output, wanted, NOW)
        return output

    def put(self, package: Path) -> None:
        """Into the inbox, as the agent does."""
        (self.places.inbox / READY).write_bytes(package.read_bytes())

    def installer(self, *, machine: Here = MACHINE, green_s: float = 3.0, step: object = None) -> Installer:
        """Root's part, in this process."""
        means = Means((sys.executable, str(self.folder / "service.py")), green_s, 0.05, 0, machine)
        return Installer(self.places, means._replace(step=step) if callable(step) else means)

    def stop(self) -> None:
        """End what runs."""
        subprocess.run([sys.executable, self.folder / "service.py", "stop", "unit"], check=True)

    def running(self) -> str:
        """The version that runs, as soon as it says so."""
        said, until = self.places.agent_state / "running", time.monotonic() + 20
        while not (said.exists() and said.read_text()) and time.monotonic() < until:
            time.sleep(0.02)
        pid, version = said.read_text().split()[:2]
        os.kill(int(pid), 0)
        return version

    def sides(self) -> tuple[str | None, str | None]:
        """Where current and good lead."""
        return self.places.side_of(self.places.current), self.places.side_of(self.places.good)

    def text(self, kind: Kind) -> str:
        """The little agent of one kind."""
        return AGENT.format(state=str(self.places.agent_state), **kind._asdict())

    def _install_first(self) -> None:
        side = self.places.side("a") / "bin"
        side.mkdir(parents=True)
        write_agent(side / "ttdn-agent", self.text(Kind("0.1.0")))
        self.places.current.symlink_to("a")
        self.places.good.symlink_to("a")

    def _write_supervisor(self) -> None:
        agent, pid = self.places.current / "bin" / "ttdn-agent", self.folder / "pid"
        (self.folder / "service.py").write_text(
            f"""
import os, signal, subprocess, sys, pathlib, time
pid = pathlib.Path({str(pid)!r})
verb = sys.argv[1]
if verb in ("stop", "restart") and pid.exists():
    try:
        os.killpg(int(pid.read_text()), signal.SIGKILL)
    except ProcessLookupError:
        pass
    pid.unlink()
    pathlib.Path({str(self.places.agent_state / "running")!r}).unlink(missing_ok=True)
if verb in ("start", "restart") and not pid.exists():
    child = subprocess.Popen([{str(agent)!r}, "run"], start_new_session=True, stdin=-3, stdout=-3, stderr=-3)
    pid.write_text(str(child.pid))
"""
        )
