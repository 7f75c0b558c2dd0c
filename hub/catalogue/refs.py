"""Names that players call a content by, as a person writes them down, brought to the form in which kiosks report them.

A kiosk names a file by its path within the media folder and a page by its normalised URL (`edge_agent.content_ref`, of
which this is what people need: a test keeps the two together). The catalogue compares exactly, so both must agree.
"""

from __future__ import annotations

import re
from typing import Final

from hub.registry.rows import BadCell

LONGEST: Final = 512
BETWEEN: Final = "|"
"""Separates names in a cell: a file's name may have spaces, commas and semicolons in it."""
_URL: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)([^?#]*)(?:\?([^#]*))?(?:#.*)?")
_PORTS: Final = {"http": "80", "https": "443", "rtsp": "554", "ftp": "21"}
_HOST: Final = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?")
_ESCAPE: Final = re.compile(r"%([0-9A-Fa-f]{2})")
_NOT_ESCAPED: Final = re.compile(r"%(?![0-9A-Fa-f]{2})|[^A-Za-z0-9%._~!$&'()*+,;=:@/?\[\]-]")
_UNRESERVED: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def refs(text: str | None, column: str) -> frozenset[str]:
    """The names in a cell; BadCell for one that no kiosk can report."""
    parts = [part.strip() for part in (text or "").split(BETWEEN)]
    return frozenset(known_as(part, column) for part in parts if part)


def known_as(text: str, column: str = "refs") -> str:
    """One name as kiosks report it. Of a URL's query keep only what the kiosk is set to keep; its fragment goes."""
    found = _page(text, column) if "://" in text else _file(text)
    if not found or len(found) > LONGEST:
        raise BadCell(column, f"{text[:60]!r} không phải tên tệp hoặc URL; cần 1 đến {LONGEST} ký tự")
    return found


def _file(text: str) -> str:
    steps = text.replace("\\", "/").split("/")
    return "/".join(step for step in steps if step not in {"", "."})


def _page(text: str, column: str) -> str:
    match = _URL.fullmatch(text)
    host = _HOST.fullmatch(match[2].rpartition("@")[2]) if match else None
    if match is None or host is None:
        raise BadCell(column, f"{text[:60]!r} không phải URL hợp lệ; cần dạng https://vietnam.vn/bai-viet")
    scheme = match[1].lower()
    port = f":{host[2]}" if host[2] and host[2] != _PORTS.get(scheme) else ""
    pairs = sorted(_escaped(match[4]).split("&"), key=lambda pair: pair.partition("=")[0]) if match[4] else []
    query = f"?{'&'.join(pairs)}" if pairs else ""
    return f"{scheme}://{host[1].lower()}{port}{_escaped(match[3] or '/')}{query}"


def _escaped(text: str) -> str:
    """Percent-encoding as RFC 3986 normalises it."""
    text = _NOT_ESCAPED.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), text)
    return _ESCAPE.sub(_bare, text)


def _bare(found: re.Match[str]) -> str:
    byte = int(found[1], 16)
    return chr(byte) if byte in _UNRESERVED else f"%{byte:02X}"
