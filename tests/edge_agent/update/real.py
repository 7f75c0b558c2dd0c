"""Packages of the real agent, without a network: our own code of this checkout, and what it needs as installed here."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from collections.abc import Mapping
from importlib.metadata import Distribution, distribution
from pathlib import Path

from contract.version import VERSION
from tests.edge_agent.update.making import make_wheel
from tests.regenerate import ROOT

NEEDED = ("cffi", "cryptography", "msgspec", "paho-mqtt", "pycparser", "websockets")


def needed_wheels(folder: Path) -> None:
    """Wheels of what the agent needs."""
    for name in NEEDED:
        _wheel_again(folder, distribution(name))


def agent_wheel(folder: Path, version: str, changed: Mapping[str, str] | None = None) -> None:
    """Our own wheel, as another version, with some files changed."""
    files = {}
    for room in ("contract", "edge_agent"):
        for file in sorted((ROOT / room).rglob("*")):
            if file.suffix in (".py", ".sql", ".js", ".txt"):
                files[str(file.relative_to(ROOT))] = file.read_text(encoding="utf-8")
    files["contract/version.py"] = files["contract/version.py"].replace(f'"{VERSION}"', f'"{version}"')
    make_wheel(folder, "ttdn_border", version, {**files, **(changed or {})}, "ttdn-agent = edge_agent.cli:main")


def _wheel_again(folder: Path, installed: Distribution) -> None:
    wheel = installed.read_text("WHEEL") or ""
    tag = next(line.removeprefix("Tag: ") for line in wheel.splitlines() if line.startswith("Tag: "))
    rows, files = [], {}
    for path in installed.files or []:
        name = str(path)
        if name.startswith("..") or "__pycache__" in name or path.name in ("RECORD", "INSTALLER", "REQUESTED"):
            continue
        files[name] = Path(str(path.locate())).read_bytes()
        digest = base64.urlsafe_b64encode(hashlib.sha256(files[name]).digest()).decode().rstrip("=")
        rows.append(f"{name},sha256={digest},{len(files[name])}")
    info = next(name.split("/")[0] for name in files if ".dist-info/" in name)
    label = f"{installed.metadata['Name'].replace('-', '_')}-{installed.version}"
    with zipfile.ZipFile(folder / f"{label}-{tag}.whl", "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
        archive.writestr(f"{info}/RECORD", "\n".join([*rows, f"{info}/RECORD,,"]) + "\n")
