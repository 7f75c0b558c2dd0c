"""From the folder that deploy/agent/wheels.sh makes to one signed package."""

from __future__ import annotations

import hashlib
import os
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from contract import package
from contract.release import Arch, Manifest, PackagedFile, PackageError, decode, encode
from hub.errors import ConfigError
from hub.releases.keys import sign

_SUMS: Final = "SHA256SUMS"
_ABOUT: Final = "FOLDER"
_FIRST: Final = "0.1.0"


class Wanted(NamedTuple):
    """What the folder does not say of itself."""

    applies_on: str = _FIRST
    allow_downgrade: bool = False


def manifest_of(folder: Path, wanted: Wanted, now: datetime) -> Manifest:
    """What a package of this folder will say. ConfigError if it is not such a folder, or was changed since."""
    sums, about = _sums(folder), _about(folder)
    files = [_file(folder, name, sums) for name in sorted(sums) if name.endswith(".whl") and "/" not in name]
    try:
        manifest = Manifest(
            version=about["version"],
            arch=msgspec.convert(about["arch"], Arch),
            python=(about["python"],),
            applies_on=wanted.applies_on,
            allow_downgrade=wanted.allow_downgrade,
            created_ms=int(now.timestamp() * 1000),
            files=tuple(files),
        )
        decode(encode(manifest))
    except (KeyError, PackageError, msgspec.MsgspecError) as error:
        raise ConfigError(f"{folder}: {error}; make it anew: deploy/agent/wheels.sh") from None
    _refuse_incomplete(manifest, folder)
    return manifest


def pack(folder: Path, key: Path, output: Path, wanted: Wanted, now: datetime) -> Manifest:
    """A signed package at `output`, whole or not at all. ConfigError says what is wrong with the folder or the key."""
    manifest = manifest_of(folder, wanted, now)
    signed = encode(manifest)
    signature = sign(key, signed)
    half = output.with_name(f".{output.name}.half")
    try:
        with half.open("wb") as out:
            package.write(out, signed, signature, lambda file: (folder / file.name).open("rb"))
            out.flush()
            os.fsync(out.fileno())
        half.replace(output)
    except OSError as error:
        raise ConfigError(f"{error.filename or output}: {error.strerror}") from None
    finally:
        half.unlink(missing_ok=True)
    return manifest


def _refuse_incomplete(manifest: Manifest, folder: Path) -> None:
    known = dict(file.distribution for file in manifest.files)
    if len({file.distribution for file in manifest.files}) != len(known):
        raise ConfigError(f"{folder} holds two versions of one package; make it anew: deploy/agent/wheels.sh")
    if "pip" not in known:
        raise ConfigError(f"{folder} holds no wheel of pip, with which kiosks install the others")
    if known.get("ttdn-border") != manifest.version:
        raise ConfigError(f"{folder} says version {manifest.version}, its ttdn-border is {known.get('ttdn-border')}")


def _file(folder: Path, name: str, sums: dict[str, str]) -> PackagedFile:
    file = folder / name
    try:
        with file.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
        length = file.stat().st_size
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}; make the folder anew: deploy/agent/wheels.sh") from None
    if digest != sums[name]:
        raise ConfigError(f"{file} was changed since {_SUMS} was written; make the folder anew: deploy/agent/wheels.sh")
    return PackagedFile(name, length, digest)


def _sums(folder: Path) -> dict[str, str]:
    lines = _text(folder / _SUMS).splitlines()
    return {name.lstrip("*"): digest for digest, _, name in (line.partition("  ") for line in lines)}


def _about(folder: Path) -> dict[str, str]:
    lines = _text(folder / _ABOUT).splitlines()
    return {key: value for key, _, value in (line.partition("=") for line in lines)}


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} cannot be read: {error}; expected a folder made by deploy/agent/wheels.sh") from None
