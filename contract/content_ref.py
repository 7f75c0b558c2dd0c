"""Names of contents, so that one content has one name wherever and however it is shown. Pure; never raises.

A web page is its normalised URL without what may hold personal things (user info, query, fragment); a media file is its
path within the media folder, or its base name. The result is 1 to 512 characters of printable Unicode in NFC; what is
longer is cut and ends in a digest of the whole, so that two long names stay two.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
import unicodedata
from collections.abc import Collection
from typing import Final

MAX_LENGTH: Final = 512
NAMELESS: Final = "nameless"
"""What is left of an empty name."""

_DIGEST_LENGTH: Final = 16
_DEFAULT_PORTS: Final = {"http": "80", "ws": "80", "https": "443", "wss": "443", "ftp": "21", "rtsp": "554"}
# RFC 3986, appendix B: splits every string, which urllib.parse does not.
_URL: Final = re.compile(r"(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#.*)?", re.DOTALL)
_WITH_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_PORT: Final = re.compile(r"(.*?)(?::([0-9]*))?\Z", re.DOTALL)
_ESCAPE: Final = re.compile(r"%([0-9A-Fa-f]{2})")
_NOT_ESCAPED: Final = re.compile(r"%(?![0-9A-Fa-f]{2})|[^A-Za-z0-9%._~!$&'()*+,;=:@/?\[\]-]")
_CUT_ESCAPE: Final = re.compile(r"%[0-9A-F]?\Z")
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029]")
_UNRESERVED: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def url_ref(url: str, keep_query: Collection[str] | None = ()) -> str:
    """The name of the page at `url`. Of the query only the keys in `keep_query` stay (None: all), sorted by key."""
    match = _URL.fullmatch(url.strip())
    if match is None:
        return NAMELESS
    scheme, authority, path, query = match.groups()
    scheme = scheme.lower() if scheme else None
    if scheme == "data":
        return _data_ref(path)
    parts = [f"{scheme}:" if scheme else ""]
    if authority is not None:
        parts.append(f"//{_host(authority, scheme)}")
        path = path or "/"
    parts += [_escaped(path), _kept(query or "", keep_query)]
    return _bounded("".join(parts))


def file_ref(path: str, media_folder: str | None = None) -> str:
    """The name of the media file at `path`: relative to `media_folder` where it lies in it, else its base name."""
    path = _printable(posixpath.normpath(path)) if path else ""
    folder = _printable(posixpath.normpath(media_folder)).rstrip("/") + "/" if media_folder else None
    inside = folder is not None and path.startswith(folder)
    return _bounded(path[len(folder or "") :] if inside else posixpath.basename(path))


def is_url(path: str) -> bool:
    """Whether what a player calls a path is a URL."""
    return _WITH_SCHEME.match(path) is not None


def _host(authority: str, scheme: str | None) -> str:
    match = _PORT.fullmatch(authority.rpartition("@")[2])
    host, port = match.groups() if match else (authority, None)
    host = _escaped(host.lower())
    return host if not port or port == _DEFAULT_PORTS.get(scheme or "") else f"{host}:{port}"


def _kept(query: str, keep: Collection[str] | None) -> str:
    pairs = [_escaped(pair) for pair in query.split("&") if keep is None or pair.partition("=")[0] in keep]
    kept = "&".join(sorted(pairs, key=lambda pair: pair.partition("=")[0]))
    return f"?{kept}" if kept else ""


def _data_ref(payload: str) -> str:
    """A page within its own URL is named by its type and digest: the payload may be long and hold anything."""
    kind = _escaped(payload.partition(",")[0].partition(";")[0].lower())
    return _bounded(f"data:{kind};{_digest(payload)}")


def _escaped(text: str) -> str:
    """Percent-encoding as RFC 3986 normalises it: unreserved characters bare, all else that needs it in upper case."""
    text = _NOT_ESCAPED.sub(lambda found: "".join(f"%{byte:02X}" for byte in _utf8(found[0])), text)
    return _ESCAPE.sub(_unescape_unreserved, text)


def _unescape_unreserved(found: re.Match[str]) -> str:
    byte = int(found[1], 16)
    return chr(byte) if byte in _UNRESERVED else f"%{byte:02X}"


def _printable(text: str) -> str:
    return unicodedata.normalize("NFC", _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text))


def _bounded(ref: str) -> str:
    if len(ref) <= MAX_LENGTH:
        return ref or NAMELESS
    head = _CUT_ESCAPE.sub("", ref[: MAX_LENGTH - _DIGEST_LENGTH - 1])
    return f"{head}~{_digest(ref)}"


def _digest(text: str) -> str:
    return hashlib.sha256(_utf8(text)).hexdigest()[:_DIGEST_LENGTH]


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
