"""`ttdn.toml`: what a technician writes at a PC or on a phone for a kiosk without a keyboard. Pure.

    url = "https://ttdn.example.vn"
    code = "ABCDE-FGHJK-..."
    apn = "v-internet"          # of the SIM; left out where there is a cable

    [wifi]                      # only where there is one
    ssid = "name"
    password = "..."

Read with the patience that such files need: Notepad's byte order marks and line ends, quotes that a phone has made
round, values without any quotes, and in `url` the whole link of the QR code.
"""

from __future__ import annotations

import codecs
import re
import tomllib
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from edge_agent.identity.hub_link import split_link
from edge_agent.identity.texts import Text

NAMES: Final = ("ttdn.toml", "ttdn.toml.txt")
"""The second is what Windows makes of the first where it hides endings."""
MAX_BYTES: Final = 64 * 1024
_REMOVED: Final = "# code: đã dùng và đã xóa · used and removed"
_ROUND: Final = str.maketrans("“”„‟″«»‘’‚′\u00a0", '"""""""\'\'\'\' ')
_BARE: Final = re.compile(r"""^(\s*[a-z_]+\s*=\s*)([^\s"'\[{#][^#"']*?)(\s*(?:#.*)?)$""")
_URL_LINE: Final = re.compile(r"^\s*[\"']?url[\"']?\s*=.*$")
_CODE_LINE: Final = re.compile(r"^\s*[\"']?code[\"']?\s*=.*$")
_MARKS: Final = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


class Wifi(Struct, frozen=True, forbid_unknown_fields=True):
    """A network to join."""

    ssid: Annotated[str, Meta(min_length=1, max_length=32)]
    password: Annotated[str, Meta(max_length=63)] = ""


class BootFile(Struct, frozen=True, forbid_unknown_fields=True):
    """What it says."""

    url: str = ""
    code: str = ""
    again: bool = False
    """Replace the enrolment that the device has."""
    apn: Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{0,100}\Z")] = ""
    apn_user: Annotated[str, Meta(max_length=64)] = ""
    apn_password: Annotated[str, Meta(max_length=64)] = ""
    wifi: Wifi | None = None


class BootFileWrong(Exception):
    """It cannot be read; `text` says where and what to do."""

    def __init__(self, text: Text) -> None:
        self.text = text
        super().__init__(text.en)


def decode(data: bytes) -> str:
    """The text, whatever editor has saved it. BootFileWrong if it is none."""
    mark, encoding = next((known for known in _MARKS if data.startswith(known[0])), (b"", "utf-8"))
    try:
        return data.removeprefix(mark).decode(encoding).replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        raise BootFileWrong(
            Text(
                "Tệp không phải văn bản UTF-8. Mở bằng Notepad, chọn Save As, Encoding: UTF-8.",
                "The file is no text in UTF-8. Open it in Notepad and save it with the encoding UTF-8.",
            )
        ) from error


def parse(text: str) -> BootFile:
    """The entries. BootFileWrong with the line, or the key, and a hint."""
    try:
        raw = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raw = _mended(text, error)
    try:
        found = msgspec.convert(raw, BootFile)
    except msgspec.ValidationError as error:
        detail = str(error)
        raise BootFileWrong(
            Text(
                f"Một mục trong tệp không đúng: {detail}. Có thể có: url, code, again, apn, apn_user, apn_password, "
                "[wifi] ssid, password.",
                f"An entry is wrong: {detail}. There may be: url, code, again, apn, apn_user, apn_password, "
                "[wifi] with ssid and password.",
            )
        ) from error
    url, code = split_link(found.url)
    return msgspec.structs.replace(found, url=url, code=found.code or code)


def without_code(text: str, file: BootFile) -> str:
    """The same with no trace of the code, so that nobody who finds the card or stick takes it for a good one."""
    kept = "\n".join(_line_without_code(line, file) for line in text.split("\n"))
    return kept if _letters(file.code) not in _letters(kept) and _says(kept, file) else _anew(file)


def _says(text: str, file: BootFile) -> bool:
    """Whether it reads as the file but for the code."""
    try:
        return parse(text) == msgspec.structs.replace(file, code="")
    except BootFileWrong:
        return False


def _line_without_code(line: str, file: BootFile) -> str:
    if _CODE_LINE.match(line):
        return _REMOVED
    if _letters(file.code) not in _letters(line):
        return line
    return f"{_REMOVED}\nurl = {_quoted(file.url)}" if _URL_LINE.match(line) else _REMOVED


def _anew(file: BootFile) -> str:
    """What the file says but for the code, where it cannot be cut out of a line: the network still needs the rest."""
    said = {"url": file.url, "apn": file.apn, "apn_user": file.apn_user, "apn_password": file.apn_password}
    lines = [_REMOVED, *(f"{key} = {_quoted(value)}" for key, value in said.items() if value)]
    if file.wifi is not None:
        lines += ["[wifi]", f"ssid = {_quoted(file.wifi.ssid)}", f"password = {_quoted(file.wifi.password)}"]
    return "\n".join(lines) + "\n"


def _mended(text: str, error: Exception) -> dict[str, object]:
    straight = text.translate(_ROUND)
    lines = [
        _BARE.sub(r'\1"\2"\3', line) if not line.rstrip().endswith(("true", "false")) else line
        for line in straight.split("\n")
    ]
    for attempt in (straight, "\n".join(lines)):
        try:
            return tomllib.loads(attempt)
        except (ValueError, RecursionError):
            continue
    number = _first_wrong(straight)
    vi, en = (f"Dòng {number}", f"Line {number}") if number else ("Tệp", "The file")
    raise BootFileWrong(
        Text(
            f'{vi} viết sai. Mỗi dòng có dạng: tên = "giá trị", với dấu ngoặc kép ở hai đầu.',
            f'{en} is not right. Each line reads: name = "value", with a quotation mark at both ends.',
        )
    ) from error


def _first_wrong(text: str) -> int:
    """The first line that is nothing by itself, from 1; 0 if each is something. TOML's own errors come lines later."""
    for number, line in enumerate(text.split("\n"), 1):
        try:
            tomllib.loads(line)
        except (ValueError, RecursionError):
            return number
    return 0


def _letters(text: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", text.upper())


def _quoted(text: str) -> str:
    return msgspec.json.encode(text).decode()
