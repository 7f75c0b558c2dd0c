"""The hash of a reference frame: the same picture stays near, another is far, no file does harm."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.catalogue.frame_hash import BadPicture, distance, frame_hash, from_hex, to_hex

Picture = Callable[[float, float], float]
"""Brightness 0 to 1 by place, 0 to 1 each."""


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def filtered(kind: int, line: bytes, above: bytes, step: int) -> bytes:
    """As the PNG specification filters a line."""
    made = bytearray()
    for at, value in enumerate(line):
        left, corner = (line[at - step], above[at - step]) if at >= step else (0, 0)
        up = above[at]
        if kind == 4:
            guess = left + up - corner
            nearest = min((abs(guess - one), order, one) for order, one in enumerate((left, up, corner)))[2]
        else:
            nearest = (0, left, up, (left + up) // 2)[kind]
        made.append((value - nearest) & 0xFF)
    return bytes([kind]) + bytes(made)


def png(
    lines: Sequence[bytes], colour: int = 0, kinds: Sequence[int] = (0,), depth: int = 8, interlace: int = 0
) -> bytes:
    step = {0: 1, 2: 3, 4: 2, 6: 4}[colour]
    above, packed = bytes(len(lines[0])), b""
    for number, line in enumerate(lines):
        packed += filtered(kinds[number % len(kinds)], line, above, step)
        above = line
    head = struct.pack(">IIBBBBB", len(lines[0]) // step, len(lines), depth, colour, 0, 0, interlace)
    middle = len(zlib.compress(packed)) // 2
    data = zlib.compress(packed)
    parts = [chunk(b"IHDR", head), chunk(b"tEXt", b"x"), chunk(b"IDAT", data[:middle]), chunk(b"IDAT", data[middle:])]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts) + chunk(b"IEND", b"")


def drawn(picture: Picture, width: int, height: int, colour: int = 0, noise: float = 0) -> list[bytes]:
    rng = random.Random(7)
    lines = []
    for y in range(height):
        line = bytearray()
        for x in range(width):
            value = picture((x + 0.5) / width, (y + 0.5) / height) + rng.uniform(-noise, noise)
            grey = max(0, min(255, round(value * 255)))
            line += bytes({0: [grey], 2: [grey] * 3, 4: [grey, 99], 6: [grey, grey, grey, 99]}[colour])
        lines.append(bytes(line))
    return lines


def landscape(x: float, y: float) -> float:
    return 0.15 + 0.5 * y + 0.3 * (abs(x - 0.3) < 0.12) + 0.2 * ((x * 3 + y * 2) % 1)


def portrait(x: float, y: float) -> float:
    return 0.9 - 0.7 * ((x - 0.6) ** 2 + (y - 0.5) ** 2 < 0.08) - 0.3 * x + 0.2 * ((y * 5) % 1)


def test_the_same_picture_in_any_form() -> None:
    original = frame_hash(png(drawn(landscape, 180, 120)))
    for colour in (0, 2, 4, 6):
        for kinds in ((0,), (1,), (2,), (3,), (4,), (4, 1, 3, 2, 0)):
            assert frame_hash(png(drawn(landscape, 180, 120, colour), colour, kinds)) == original


def test_near_and_far() -> None:
    original = frame_hash(png(drawn(landscape, 320, 180)))
    assert distance(original, frame_hash(png(drawn(landscape, 160, 90)))) <= 6
    assert distance(original, frame_hash(png(drawn(landscape, 320, 180, noise=0.05)))) <= 6
    assert distance(original, frame_hash(png(drawn(lambda x, y: landscape(x, y) * 0.8 + 0.1, 320, 180)))) <= 6
    assert distance(original, frame_hash(png(drawn(portrait, 320, 180)))) >= 16


def test_bits_are_where_it_gets_brighter_to_the_right() -> None:
    rising = bytes(range(0, 90, 10))
    assert frame_hash(png([rising] * 8)) == 2**64 - 1
    assert frame_hash(png([bytes(reversed(rising))] * 8)) == 0
    assert frame_hash(png([rising] + [bytes(9)] * 7)) == 0xFF << 56
    assert frame_hash(png([bytes(9)] * 7 + [bytes(8) + b"\x01"])) == 1


@given(st.integers(0, 2**64 - 1))
def test_hex(value: int) -> None:
    assert from_hex(to_hex(value)) == value
    assert from_hex(to_hex(value).upper()) == value
    assert len(to_hex(value)) == 16


@pytest.mark.parametrize("text", ["", "0" * 15, "0" * 17, "0x" + "0" * 14, "g" * 16, "-" + "0" * 15])
def test_what_is_no_hash(text: str) -> None:
    assert from_hex(text) is None


GOOD = png(drawn(landscape, 20, 20))


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "không phải tệp PNG"),
        (b"GIF89a", "không phải tệp PNG"),
        (GOOD[:8], "không có phần IHDR"),
        (GOOD[: len(GOOD) // 2], "PNG hỏng"),
        (GOOD.replace(b"IHDR", b"IHDX"), "không có phần IHDR"),
        (png(drawn(landscape, 20, 20), depth=16), "8 bit"),
        (png(drawn(landscape, 20, 20), interlace=1), "không xen kẽ"),
        (png(drawn(landscape, 8, 8)), "ảnh 8 x 8; cần từ 9 x 8"),
        (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 50_000, 50_000, 8, 0, 0, 0, 0)), "ảnh 50000"),
        (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 20, 20, 8, 0, 0, 0, 0)), "thiếu dữ liệu"),
    ],
)
def test_what_cannot_be_hashed(data: bytes, told: str) -> None:
    with pytest.raises(BadPicture, match=told):
        frame_hash(data)


def test_a_filter_that_there_is_not() -> None:
    packed = zlib.compress((b"\x09" + bytes(20)) * 20)
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 20, 20, 8, 0, 0, 0, 0))
    with pytest.raises(BadPicture, match="bộ lọc 9"):
        frame_hash(b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", packed))


@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255), st.binary(max_size=30))
def test_any_bytes_give_a_hash_or_a_reason(at: int, value: int, tail: bytes) -> None:
    for data in (GOOD[:at] + bytes([value]) + GOOD[at + 1 :], GOOD[:at] + tail, tail):
        try:
            assert 0 <= frame_hash(data) < 2**64
        except BadPicture as refused:
            reason = str(refused)
            assert reason
