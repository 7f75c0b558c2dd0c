"""Names that players call a content by, as a person writes them down, brought to the form in which kiosks report them.

The catalogue compares exactly, so `contract.content_ref` names on both sides; here stands what people may write.
"""

from __future__ import annotations

import re
from typing import Final

from contract.content_ref import MAX_LENGTH, file_ref, url_ref
from hub.registry.rows import BadCell

BETWEEN: Final = "|"
"""Separates names in a cell: a file's name may have spaces, commas and semicolons in it."""
_FOLDER: Final = "/media"
"""Stands for any kiosk's media folder: people write paths within it."""
_NO_NAMES: Final = frozenset({"", ".", ".."})
_PAGE: Final = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#]*@)?(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:[/?#].*)?"
)


def refs(text: str | None, column: str) -> frozenset[str]:
    """The names in a cell; BadCell for one that no kiosk can report."""
    parts = [part.strip() for part in (text or "").split(BETWEEN)]
    return frozenset(known_as(part, column) for part in parts if part)


def known_as(text: str, column: str = "refs") -> str:
    """One name as kiosks report it. Of a URL's query keep only what the kiosk is set to keep; its fragment goes."""
    found = _page(text, column) if "://" in text else _file(text)
    if not found or len(text) > MAX_LENGTH:
        raise BadCell(column, f"{text[:60]!r} không phải tên tệp hoặc URL; cần 1 đến {MAX_LENGTH} ký tự")
    return found


def _file(text: str) -> str:
    path = text.replace("\\", "/")
    return "" if _NO_NAMES.issuperset(path.split("/")) else file_ref(f"{_FOLDER}/{path}", _FOLDER)


def _page(text: str, column: str) -> str:
    if not _PAGE.fullmatch(text):
        raise BadCell(column, f"{text[:60]!r} không phải URL hợp lệ; cần dạng https://vietnam.vn/bai-viet")
    return url_ref(text, keep_query=None)
