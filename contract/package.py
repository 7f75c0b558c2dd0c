"""A package as bytes: an uncompressed tar of manifest.json, manifest.sig and the wheels in the manifest's order.

Read while it comes, from any stream; what is not exactly so (a folder in a name, a link, another order, a size or
hash that is not the manifest's) is no package. Only plain ustar headers are understood.
"""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Callable, Iterator
from typing import BinaryIO, Final, NamedTuple

from contract.release import (
    MAX_MANIFEST_BYTES,
    SIGNATURE_BYTES,
    Manifest,
    PackagedFile,
    PackageError,
    decode,
)

MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.sig"
_BLOCK: Final = 512
_END_BLOCKS: Final = 20
"""A tar ends with two blocks of zeros, filled up to a record of 20."""
_CHUNK: Final = 128 * 1024
MAX_HEAD_BYTES: Final = 4 * _BLOCK + MAX_MANIFEST_BYTES
"""Manifest and signature lie within the first bytes."""


class Head(NamedTuple):
    """What stands before the files."""

    signed: bytes
    """The manifest as it stands there."""
    signature: bytes
    manifest: Manifest


Open = Callable[[PackagedFile], BinaryIO]


def write(out: BinaryIO, signed: bytes, signature: bytes, open_file: Open) -> None:
    """A package. PackageError if a file is not what the manifest says."""
    manifest = decode(signed)
    mtime_s = manifest.created_ms // 1000
    out.write(_header(MANIFEST, len(signed), mtime_s) + signed + _padding(len(signed)))
    out.write(_header(SIGNATURE, len(signature), mtime_s) + signature + _padding(len(signature)))
    for file in manifest.files:
        out.write(_header(file.name, file.bytes, mtime_s))
        with open_file(file) as source:
            out.writelines(_checked(source, file))
            if source.read(1):
                raise PackageError(f"{file.name} is longer than the manifest says")
        out.write(_padding(file.bytes))
    out.write(bytes(2 * _BLOCK))


def read_head(stream: BinaryIO) -> Head:
    """Manifest and signature; whose the signature is, the caller checks. PackageError if it is no package."""
    signed = _exactly(stream, _enter(stream, MANIFEST, MAX_MANIFEST_BYTES))
    _pad(stream, len(signed))
    signature = _exactly(stream, _enter(stream, SIGNATURE, SIGNATURE_BYTES))
    _pad(stream, len(signature))
    if len(signature) != SIGNATURE_BYTES:
        raise PackageError(f"{SIGNATURE} has {len(signature)} bytes, not {SIGNATURE_BYTES}")
    return Head(signed, signature, decode(signed))


def read_files(stream: BinaryIO, manifest: Manifest) -> Iterator[tuple[PackagedFile, Iterator[bytes]]]:
    """Each file with its bytes, to be taken in this order; after the last bytes of one it is what the manifest says."""
    for file in manifest.files:
        length = _enter(stream, file.name, file.bytes)
        if length != file.bytes:
            raise PackageError(f"{file.name} has {length} bytes, not {file.bytes}")
        yield file, _checked(stream, file)
        _pad(stream, file.bytes)
    rest = stream.read(_END_BLOCKS * _BLOCK + 1)
    if len(rest) < _BLOCK or len(rest) > _END_BLOCKS * _BLOCK or any(rest):
        raise PackageError("the package does not end where its manifest says")


def check_files(stream: BinaryIO, manifest: Manifest) -> None:
    """Read all files and keep none."""
    for _, chunks in read_files(stream, manifest):
        for _ in chunks:
            pass


def _checked(stream: BinaryIO, file: PackagedFile) -> Iterator[bytes]:
    digest, left = hashlib.sha256(), file.bytes
    while left:
        chunk = stream.read(min(left, _CHUNK))
        if not chunk:
            raise PackageError(f"{file.name} is cut short")
        left -= len(chunk)
        digest.update(chunk)
        yield chunk
    if digest.hexdigest() != file.sha256:
        raise PackageError(f"{file.name} is not the file that the manifest names: its SHA-256 is another one")


def _header(name: str, length: int, mtime_s: int) -> bytes:
    information = tarfile.TarInfo(name)
    information.size, information.mtime, information.mode = length, mtime_s, 0o644
    return information.tobuf(tarfile.USTAR_FORMAT)


def _padding(length: int) -> bytes:
    return bytes(-length % _BLOCK)


def _pad(stream: BinaryIO, length: int) -> None:
    if any(_exactly(stream, -length % _BLOCK)):
        raise PackageError("there are bytes between two files")


def _enter(stream: BinaryIO, name: str, most: int) -> int:
    """Take the header of the file that has to come now; its length."""
    header = _exactly(stream, _BLOCK)
    if header[257:262] != b"ustar" or header[156:157] != b"0" or header[345:500].strip(b"\0"):
        raise PackageError(f"where {name} should begin there is no header of a plain file")
    if header[:100].rstrip(b"\0") != name.encode("ascii"):
        raise PackageError(f"where {name} should be there is something else")
    if _octal(header[148:156]) != sum(header[:148]) + sum(header[156:]) + 8 * 0x20:
        raise PackageError(f"the header of {name} is damaged")
    length = _octal(header[124:136])
    if length > most:
        raise PackageError(f"{name} has {length} bytes; at most {most} are expected")
    return length


def _octal(field: bytes) -> int:
    digits = field.strip(b"\0 ")
    if not digits or not all(0x30 <= digit <= 0x37 for digit in digits):
        raise PackageError("a header holds no number where one belongs")
    return int(digits, 8)


def _exactly(stream: BinaryIO, length: int) -> bytes:
    data = b""
    while len(data) < length:
        more = stream.read(length - len(data))
        if not more:
            raise PackageError("the package is cut short")
        data += more
    return data
