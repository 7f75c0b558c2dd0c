"""The other virtual environment: made of a package's wheels and nothing else, and looked at before it is tried."""

from __future__ import annotations

import shutil
import sys
import venv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Final

from contract.package import read_files
from contract.release import Manifest, PackageError
from edge_agent.update.errors import NotInstalled
from edge_agent.update.places import Places
from edge_agent.update.running import run

_INSTALL_S: Final = 1200.0
"""A Raspberry Pi of the first kinds unpacks and compiles for minutes."""
LOOK_S: Final = 120.0
_REQUIREMENTS: Final = "requirements.txt"


def unpack(stream: BinaryIO, manifest: Manifest, folder: Path) -> None:
    """The wheels, in an empty folder of ours; each is what the manifest says, or PackageError."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    for file, chunks in read_files(stream, manifest):
        with (folder / file.name).open("xb") as out:
            out.writelines(chunks)


def build(manifest: Manifest, wheels: Path, side: Path) -> None:
    """The environment at `side`, from nothing. NotInstalled if that does not work."""
    if side.is_symlink():
        side.unlink()
    shutil.rmtree(side, ignore_errors=True)
    venv.EnvBuilder(symlinks=True, with_pip=False).create(side)
    pip = _pip(manifest, wheels)
    (wheels / _REQUIREMENTS).write_text("".join(requirements(manifest)), encoding="ascii")
    python = side / "bin" / "python"
    options = ["--isolated", "--disable-pip-version-check", "--no-cache-dir"]
    offline = ["--no-index", "--no-deps", "--require-hashes", "--find-links", str(wheels)]
    named = ["--requirement", str(wheels / _REQUIREMENTS)]
    _must([python, pip, *options, "install", *offline, *named], "its wheels cannot be installed")
    _must([python, pip, *options, "check"], "it is not complete")


def look(manifest: Manifest, places: Places, side: Path) -> None:
    """Whether the new version runs at all, knows this device's configuration, and can be updated in turn."""
    agent = side / "bin" / "ttdn-agent"
    told = run([agent, "--version"], timeout_s=LOOK_S, owner_of=places.agent_state)
    if told.code != 0 or told.out.decode(errors="replace").split()[-1:] != [manifest.version]:
        raise NotInstalled(f"the new version does not say that it is {manifest.version}: {told.said}")
    for arguments, what in (
        (["--config", places.config, "check-config"], "the new version does not take this device's configuration"),
        (["update-apply", "--help"], "the new version cannot be updated in turn"),
    ):
        ran = run([agent, *arguments], timeout_s=LOOK_S, owner_of=places.agent_state)
        if ran.code != 0:
            raise NotInstalled(f"{what}: {ran.said}")


def requirements(manifest: Manifest) -> Iterator[str]:
    """What pip is to install: exactly these versions and bytes; of several wheels of one version it takes one."""
    hashes: dict[tuple[str, str], list[str]] = {}
    for file in manifest.files:
        hashes.setdefault(file.distribution, []).append(f" --hash=sha256:{file.sha256}")
    names = [name for name, _ in hashes]
    if twice := {name for name in names if names.count(name) > 1}:
        raise PackageError(f"the package holds two versions of {', '.join(sorted(twice))}")
    for (name, version), known in hashes.items():
        if name != "pip":
            yield f"{name}=={version}{''.join(known)}\n"


def _pip(manifest: Manifest, wheels: Path) -> Path:
    """A wheel is an archive, and pip runs from it: nothing of pip stays on the kiosk."""
    for file in manifest.files:
        if file.distribution[0] == "pip":
            return wheels / file.name / "pip"
    raise NotInstalled("the package holds no wheel of pip; make it of a folder made by wheels.sh")


def _must(command: Sequence[str | Path], what: str) -> None:
    ran = run(command, timeout_s=_INSTALL_S)
    if ran.code != 0:
        raise NotInstalled(f"{what} with Python {sys.version.split()[0]}: {ran.said}")
