"""A release of the agent: what a signed package holds, and for which kiosks it is.

The manifest's bytes are signed as they stand in the package (Ed25519 over `SIGNED_PREFIX` and them), so whoever checks
needs no canonical form; `encode` nevertheless writes the same manifest in the same bytes. Everything else in a package
is known by the SHA-256 that the manifest gives.
"""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal, get_args

import msgspec
from msgspec import Meta, Struct

from contract.ids import Sha256Hex, UnixMs

UPDATES_PATH: Final = "/updates/v1/"
"""Of the hub, over HTTPS: this and the package's SHA-256."""
SIGNED_PREFIX: Final = b"ttdn-release-v1\n"
SIGNATURE_BYTES: Final = 64
MAX_MANIFEST_BYTES: Final = 64 * 1024
MAX_FILES: Final = 128
MAX_FILE_BYTES: Final = 100_000_000
MAX_PACKAGE_BYTES: Final = 400_000_000
ENDING: Final = ".ttdn"

Arch = Literal["x86_64", "aarch64", "armv7l", "any"]
ARCHES: Final[tuple[Arch, ...]] = get_args(Arch)
Version = Annotated[str, Meta(pattern=r"^[0-9]{1,4}\.[0-9]{1,4}\.[0-9]{1,4}\Z", description="Three numbers.")]
PythonVersion = Annotated[str, Meta(pattern=r"^3\.[0-9]{1,2}\Z", description="As 3.11.")]
FileName = Annotated[
    str,
    Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,95}\.whl\Z", description="A wheel, without any folder."),
]
_WHEEL: Final = re.compile(r"^(?P<name>[^-]+)-(?P<version>[^-]+)(-\d[^-]*)?-[^-]+-[^-]+-[^-]+\.whl\Z")


class PackageError(ValueError):
    """This is no package of ours, or not a whole one; the text says what is wrong with it."""


class PackagedFile(Struct, frozen=True):
    """One wheel."""

    name: FileName
    bytes: Annotated[int, Meta(ge=1, le=MAX_FILE_BYTES)]
    sha256: Sha256Hex

    @property
    def distribution(self) -> tuple[str, str]:
        """Name and version, as pip knows them."""
        match = _WHEEL.match(self.name)
        if match is None:
            raise PackageError(f"{self.name} is not named as a wheel is")
        return match["name"].replace("_", "-").lower(), match["version"]


class Manifest(Struct, frozen=True, kw_only=True):
    """What a package holds and whom it is for."""

    format: Literal[1] = 1
    version: Version
    arch: Arch
    python: Annotated[tuple[PythonVersion, ...], Meta(min_length=1, max_length=8)]
    applies_on: Annotated[Version, Meta(description="The oldest version that it can be installed over.")]
    allow_downgrade: Annotated[
        bool, Meta(description="It may also be installed over a newer version; otherwise only over an older one.")
    ] = False
    created_ms: UnixMs
    files: Annotated[tuple[PackagedFile, ...], Meta(min_length=1, max_length=MAX_FILES)]

    def __post_init__(self) -> None:
        """Also run while decoding."""
        names = [file.name for file in self.files]
        if len(set(names)) != len(names):
            raise ValueError("a file is named twice")
        if sum(file.bytes for file in self.files) > MAX_PACKAGE_BYTES:
            raise ValueError(f"the files are larger than {MAX_PACKAGE_BYTES} bytes together")

    @property
    def file_name(self) -> str:
        """What a package of it is called."""
        return f"ttdn-agent-{self.version}-{self.arch}{ENDING}"

    @property
    def content_bytes(self) -> int:
        """All files together."""
        return sum(file.bytes for file in self.files)


class Offer(Struct, frozen=True):
    """One package of a version, as a command `update` offers it: a device takes the one that is made for it."""

    arch: Arch
    python: Annotated[tuple[PythonVersion, ...], Meta(min_length=1, max_length=8)]
    sha256: Sha256Hex
    bytes: Annotated[int, Meta(ge=1, le=MAX_PACKAGE_BYTES)]


def encode(manifest: Manifest) -> bytes:
    """The bytes to sign."""
    return msgspec.json.encode(manifest, order="sorted")


def decode(data: bytes) -> Manifest:
    """PackageError if it is none. Fields that this version does not know are passed over."""
    if len(data) > MAX_MANIFEST_BYTES:
        raise PackageError(f"the manifest has {len(data)} bytes; at most {MAX_MANIFEST_BYTES} are expected")
    try:
        return msgspec.json.decode(data, type=Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise PackageError(f"the manifest cannot be read: {error}") from error


def number(version: str) -> tuple[int, int, int]:
    """A version to compare with others. PackageError if it is none of ours."""
    parts = version.split(".")
    if len(parts) != 3 or not all(part.isascii() and part.isdecimal() for part in parts):
        raise PackageError(f"{version!r} is no version of three numbers")
    first, second, third = map(int, parts)
    return first, second, third


# -- what became of it, as lifecycle events tell -----------------------------------------------------------------------

Fate = Literal["applied", "went_back", "refused", "failed"]
FATES: Final[tuple[Fate, ...]] = get_args(Fate)
_DETAIL: Final = re.compile(
    r"(?P<fate>[a-z_]+) (?P<version>[0-9.]+) \((?P<before>[0-9.]*)\)(: (?P<reason>.*))?", re.DOTALL
)
MAX_DETAIL: Final = 512


class Told(Struct, frozen=True):
    """What became of a package on a device: the detail of its lifecycle event `update`.

    `applied`: it works. `went_back`: it did not, and the one before works again. `refused`: it is not for this device,
    or not signed by whom it should be. `failed`: it could not be fetched or installed; nothing has changed.
    """

    fate: Fate
    version: str
    before: str
    """The version that ran when it came."""
    reason: str = ""

    def detail(self) -> str:
        """As a lifecycle event carries it."""
        reason = f": {self.reason}" if self.reason else ""
        return f"{self.fate} {self.version} ({self.before}){reason}"[:MAX_DETAIL]


def read_detail(detail: str) -> Told | None:
    """The detail of a lifecycle event `update`; None if it tells of something else."""
    match = _DETAIL.fullmatch(detail)
    if match is None:
        return None
    for fate in FATES:
        if fate == match["fate"]:
            return Told(fate, match["version"], match["before"], match["reason"] or "")
    return None
