"""The folder of packages from which kiosks fetch: each under its SHA-256, whole or not there."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import Final, NamedTuple

from contract.package import check_files, read_head
from contract.release import ENDING, MAX_PACKAGE_BYTES, Arch, Manifest, Offer, PackageError
from hub.errors import ConfigError
from hub.releases.keys import check

_NAME: Final = re.compile(rf"^[0-9a-f]{{64}}{re.escape(ENDING)}\Z")
_CHUNK: Final = 1024 * 1024


class Release(NamedTuple):
    """One package on the shelf."""

    sha256: str
    bytes: int
    manifest: Manifest


class Shelf:
    """One folder. It is looked at anew each time: two hubs may share it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, file: Path, public_pem: str) -> Release:
        """Put a package there. ConfigError if it is not whole, or kiosks would not take it."""
        try:
            with file.open("rb") as stream:
                head = read_head(stream)
                check(public_pem, head)
                check_files(stream, head.manifest)
            self._folder.mkdir(mode=0o750, parents=True, exist_ok=True)
            return self._copy(file, head.manifest)
        except PackageError as error:
            raise ConfigError(f"{file}: {error}") from None
        except OSError as error:
            raise ConfigError(f"{error.filename or file}: {error.strerror}") from None

    def releases(self) -> list[Release]:
        """What is there, by version and machine; what cannot be read is left out."""
        found = []
        for file in sorted(self._folder.glob(f"*{ENDING}")) if self._folder.is_dir() else []:
            if _NAME.match(file.name):
                try:
                    with file.open("rb") as stream:
                        found.append(Release(file.stem, file.stat().st_size, read_head(stream).manifest))
                except (OSError, PackageError):
                    continue
        return sorted(found, key=lambda release: (release.manifest.version, release.manifest.arch, release.sha256))

    def file(self, sha256: str) -> Path | None:
        """Where a package stands; None if it is not there."""
        file = self._folder / f"{sha256}{ENDING}"
        return file if _NAME.match(file.name) and file.is_file() else None

    def offers(self, version: str) -> list[Offer]:
        """The packages of one version; of several for one kind of machine the one that was made last."""
        found: dict[tuple[Arch, tuple[str, ...]], Offer] = {}
        for release in sorted(self.releases(), key=lambda release: release.manifest.created_ms):
            manifest = release.manifest
            if manifest.version == version:
                offer = Offer(manifest.arch, manifest.python, release.sha256, release.bytes)
                found[manifest.arch, manifest.python] = offer
        return list(found.values())

    def _copy(self, file: Path, manifest: Manifest) -> Release:
        half = self._folder / f".{os.getpid()}.half"
        digest, length = hashlib.sha256(), 0
        try:
            with file.open("rb") as source, half.open("wb") as out:
                while chunk := source.read(_CHUNK):
                    digest.update(chunk)
                    length += len(chunk)
                    if length > MAX_PACKAGE_BYTES:
                        raise PackageError(f"it is larger than {MAX_PACKAGE_BYTES} bytes")
                    out.write(chunk)
                out.flush()
                os.fsync(out.fileno())
            half.replace(self._folder / f"{digest.hexdigest()}{ENDING}")
        finally:
            half.unlink(missing_ok=True)
        return Release(digest.hexdigest(), length, manifest)
