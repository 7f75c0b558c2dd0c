"""ttdn.toml as technicians write it: on Windows, on phones, in a hurry."""

from __future__ import annotations

import codecs
import tomllib

import pytest
from msgspec.structs import replace

from contract.enrol_code import EnrolCode
from edge_agent.identity.boot_file import BootFile, BootFileWrong, Wifi, decode, parse, without_code

CODE = EnrolCode(b"12345678", b"authority123", 1_800_000_000_000 // 60_000 * 60_000).text()
WELL = f'url = "https://hub.example.vn"\ncode = "{CODE}"\napn = "v-internet"\n'
SAID = BootFile(url="https://hub.example.vn", code=CODE, apn="v-internet")


@pytest.mark.parametrize(
    "data",
    [
        WELL.encode(),
        WELL.replace("\n", "\r\n").encode(),
        codecs.BOM_UTF8 + WELL.replace("\n", "\r\n").encode(),
        codecs.BOM_UTF16_LE + WELL.replace("\n", "\r\n").encode("utf-16-le"),
        codecs.BOM_UTF16_BE + WELL.encode("utf-16-be"),
        WELL.replace('"', "“", 1).replace('"', "”").encode(),
        WELL.replace('"', "").encode(),
        f"url = “https://hub.example.vn/enrol#{CODE}”\napn = v-internet\n".encode(),
        (WELL + "# Ghi chú của kỹ thuật viên\nagain = false\n").encode(),
    ],
)
def test_it_is_read_however_it_was_saved(data: bytes) -> None:
    text = decode(data)
    file = parse(text)
    assert file == SAID
    left = without_code(text, file)
    assert CODE not in left
    again = parse(left)
    assert again == BootFile(url=SAID.url, apn=SAID.apn)
    assert "đã xóa" in left


def test_nothing_else_is_lost_with_the_code() -> None:
    text = "# mine\n" + WELL + '[wifi]\nssid = "Cửa khẩu"\npassword = "secret"\n'
    left = without_code(text, parse(text))
    assert tomllib.loads(left) == {
        "url": SAID.url,
        "apn": "v-internet",
        "wifi": {"ssid": "Cửa khẩu", "password": "secret"},
    }
    assert left.startswith("# mine\n")
    assert parse(left).wifi == Wifi("Cửa khẩu", "secret")


@pytest.mark.parametrize(
    "text",
    [
        f'url = "https://hub.example.vn/enrol#{CODE}"\n{{rest}}',
        f'# phiếu mã: {CODE}\nurl = "https://hub.example.vn"\ncode = "{CODE}"\n{{rest}}',
        f"url = \"https://hub.example.vn\"\ncode = '''\n{CODE[:20]}\n{CODE[20:]}'''\n{{rest}}",
    ],
)
def test_the_way_to_the_network_stays_wherever_the_code_stood(text: str) -> None:
    rest = (
        'apn = "m-wap"\napn_user = "mms"\napn_password = "of the SIM"\n[wifi]\nssid = "Cửa khẩu"\npassword = "secret"\n'
    )
    file = parse(text.format(rest=rest))
    left = without_code(text.format(rest=rest), file)
    assert CODE not in left
    assert parse(left) == replace(file, code="")


@pytest.mark.parametrize(
    "more", [f"# {CODE}\n", f"# code {CODE.replace('-', ' ').lower()}\n", f'"code" = """\n{CODE}"""\n']
)
def test_a_code_that_stands_elsewhere_too_goes_as_well(more: str) -> None:
    text = more + WELL if more.startswith("#") else 'url = "https://hub.example.vn"\napn = "v-internet"\n' + more
    left = without_code(text, parse(text))
    assert CODE.replace("-", "") not in left.replace("-", "").replace(" ", "").upper()
    assert parse(left) == BootFile(url=SAID.url, apn=SAID.apn)


@pytest.mark.parametrize(
    ("data", "vi", "en"),
    [
        (b'url = "https://h"\ncode = "A\n', "Dòng 2 viết sai", "Line 2 is not right"),
        (b"url = 'https://h'\nhello\n", "Dòng 2 viết sai", "Line 2"),
        (b'urls = "https://h"\n', "unknown field `urls`", "unknown field `urls`"),
        (b'apn = "v internet"\n', "at `$.apn`", "at `$.apn`"),
        (b"code = 3\n", "Expected `str`, got `int`", "at `$.code`"),
        (b"url = 'C\xf4'", "Save As, Encoding: UTF-8", "encoding UTF-8"),
        (b"url = [[", "viết sai", "is not right"),
    ],
)
def test_what_is_wrong_is_told_with_its_line_in_both_languages(data: bytes, vi: str, en: str) -> None:
    with pytest.raises(BootFileWrong) as raised:
        parse(decode(data))
    assert vi in raised.value.text.vi
    assert en in raised.value.text.en
