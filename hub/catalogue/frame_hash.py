"""A 64-bit hash of a picture that stays nearly the same when the picture is scaled, compressed or slightly recoloured.

The difference hash: the picture in grey, brought to 9 x 8 by averages, and a bit for each pair of neighbours in a row
that says whether it gets brighter to the right. Two hashes of one picture differ in a few bits, of two pictures in some
30 (`distance`). It recognises a reference frame; it proves nothing, as SHA-256 does.

Pictures are small PNG files, as `ffmpeg -i film.mp4 -ss 5 -frames:v 1 -vf scale=320:-1 frame.png` makes them. They are
read here, with zlib alone: Pillow is 7 MB of native decoders for files that anybody can upload, and `imagehash` brings
NumPy and SciPy.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

BITS: Final = 64
MOST_PIXELS: Final = 1 << 20
MOST_BYTES: Final = 1 << 23
_COLUMNS, _ROWS = 9, 8
_HEX: Final = re.compile(r"[0-9a-f]{16}")
_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_CHANNELS: Final = {0: 1, 2: 3, 4: 2, 6: 4}
"""Of each PNG colour type that is read: grey, RGB, grey with alpha, RGB with alpha."""
_ADAM7: Final = 1
_Line = Sequence[int]


class BadPicture(ValueError):
    """This file is none that can be hashed: the text says why, in Vietnamese, and what is expected."""


class _Head(NamedTuple):
    width: int
    height: int
    channels: int

    @property
    def line_bytes(self) -> int:
        return self.width * self.channels


def frame_hash(png: bytes) -> int:
    """The hash of a picture; BadPicture if it is no PNG of 8 bits, or too large."""
    head, packed = _parts(png)
    grey = [_grey(line, head.channels) for line in _lines(head, _inflated(head, packed))]
    bits = [left < right for row in _reduced(grey) for left, right in pairwise(row)]
    return sum(bit << (BITS - 1 - place) for place, bit in enumerate(bits))


def distance(one: int, other: int) -> int:
    """In how many bits two hashes differ, 0 to 64."""
    return (one ^ other).bit_count()


def to_hex(value: int) -> str:
    """As people and files have it."""
    return f"{value:016x}"


def from_hex(text: str) -> int | None:
    """What `to_hex` made, in whichever case; None if it is none."""
    return int(text, 16) if _HEX.fullmatch(text.lower()) else None


def _parts(png: bytes) -> tuple[_Head, bytes]:
    """Head and compressed lines. What is cut off or damaged is found by zlib's own check."""
    if not png.startswith(_SIGNATURE) or len(png) > MOST_BYTES:
        raise BadPicture(f"không phải tệp PNG, hoặc lớn hơn {MOST_BYTES >> 20} MiB; cần ảnh PNG nhỏ")
    chunks = list(_chunks(png))
    if not chunks or chunks[0][0] != b"IHDR" or len(chunks[0][1]) != 13:
        raise BadPicture("tệp PNG hỏng: không có phần IHDR")
    width, height, depth, colour, _, _, interlace = struct.unpack(">IIBBBBB", chunks[0][1])
    if depth != 8 or colour not in _CHANNELS or interlace == _ADAM7:
        raise BadPicture("cần ảnh PNG 8 bit, xám hoặc RGB, không xen kẽ (interlace)")
    if width < _COLUMNS or height < _ROWS or width * height > MOST_PIXELS:
        raise BadPicture(f"ảnh {width} x {height}; cần từ {_COLUMNS} x {_ROWS} đến {MOST_PIXELS} điểm ảnh")
    return _Head(width, height, _CHANNELS[colour]), b"".join(data for name, data in chunks if name == b"IDAT")


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_SIGNATURE)
    while at + 8 <= len(png):
        length, name = struct.unpack_from(">I4s", png, at)
        yield name, png[at + 8 : at + 8 + length]
        at += 12 + length


def _inflated(head: _Head, packed: bytes) -> bytes:
    wanted = (head.line_bytes + 1) * head.height
    try:
        data = zlib.decompressobj().decompress(packed, wanted)
    except zlib.error as error:
        raise BadPicture(f"tệp PNG hỏng: {error}") from None
    if len(data) < wanted:
        raise BadPicture("tệp PNG hỏng: thiếu dữ liệu ảnh")
    return data


def _lines(head: _Head, data: bytes) -> Iterator[_Line]:
    """Lines without the filters that PNG compresses better with."""
    above: _Line = bytes(head.line_bytes)
    step = head.line_bytes + 1
    for at in range(0, step * head.height, step):
        above = _unfiltered(data[at], data[at + 1 : at + step], above, head.channels)
        yield above


def _unfiltered(kind: int, line: bytes, above: _Line, channels: int) -> _Line:
    if kind == 0:
        return line
    if kind == 2:
        return bytes((value + up) & 0xFF for value, up in zip(line, above, strict=True))
    if kind not in {1, 3, 4}:
        raise BadPicture(f"tệp PNG hỏng: bộ lọc {kind}")
    made = bytearray(line)
    for at, value in enumerate(line):
        left = made[at - channels] if at >= channels else 0
        corner = above[at - channels] if at >= channels else 0
        guess = left if kind == 1 else (left + above[at]) // 2 if kind == 3 else _paeth(left, above[at], corner)
        made[at] = (value + guess) & 0xFF
    return made


def _paeth(left: int, up: int, corner: int) -> int:
    guess = left + up - corner
    return min((left, up, corner), key=lambda value: abs(guess - value))


def _grey(line: _Line, channels: int) -> _Line:
    """Brightness, by the weights of ITU-R BT.601; alpha is passed over."""
    if channels == 1:
        return line
    if channels == 2:
        return line[::2]
    parts = zip(line[0::channels], line[1::channels], line[2::channels], strict=True)
    return [(299 * red + 587 * green + 114 * blue) // 1000 for red, green, blue in parts]


def _reduced(grey: Sequence[_Line]) -> Iterator[list[float]]:
    """9 x 8 averages."""
    for above, below in pairwise(len(grey) * row // _ROWS for row in range(_ROWS + 1)):
        lines = grey[above:below]
        edges = pairwise(len(grey[0]) * column // _COLUMNS for column in range(_COLUMNS + 1))
        yield [sum(sum(line[left:right]) for line in lines) / (len(lines) * (right - left)) for left, right in edges]
