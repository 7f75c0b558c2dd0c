"""One content, one name."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.content_ref import MAX_LENGTH, NAMELESS, file_ref, is_url, url_ref

ANYTHING = st.text(st.characters(codec=None), max_size=700)
URLISH = st.builds(
    "{}://{}{}/{}?{}#{}".format,
    st.sampled_from(["http", "HTTPS", "file", "data", "1x", ""]),
    st.sampled_from(["", "user:geheim@", "a@b@"]),
    st.sampled_from(["Host:80", "host:443", "[::1]:8080", "[bad", "hồ.vn"]),
    st.text(max_size=600),
    st.text(max_size=20),
    st.text(max_size=20),
)


@pytest.mark.parametrize(
    ("url", "ref"),
    [
        ("HTTP://Kiosk.VN:80/A/b", "http://kiosk.vn/A/b"),
        ("https://kiosk.vn:443", "https://kiosk.vn/"),
        ("https://kiosk.vn:8443/", "https://kiosk.vn:8443/"),
        ("http://ten:matkhau@kiosk.vn/x", "http://kiosk.vn/x"),
        ("http://kiosk.vn/x?hochieu=B123#muc-2", "http://kiosk.vn/x"),
        ("http://kiosk.vn/%7etin/%c3%a1 b", "http://kiosk.vn/~tin/%C3%A1%20b"),
        ("http://kiosk.vn/tin/á", "http://kiosk.vn/tin/%C3%A1"),
        ("http://kiosk.vn/100%", "http://kiosk.vn/100%25"),
        ("http://[::1]:80/x", "http://[::1]/x"),
        ("http://[bad/x?y", "http://[bad/x"),
        ("file:///opt/kiosk/a.html", "file:///opt/kiosk/a.html"),
        ("about:blank", "about:blank"),
        ("", NAMELESS),
        ("#", NAMELESS),
    ],
)
def test_urls(url: str, ref: str) -> None:
    assert url_ref(url) == ref


def test_only_named_keys_of_a_query_stay() -> None:
    assert url_ref("http://k/x?id=7&ten=an&lang=vi", ["lang", "id"]) == "http://k/x?id=7&lang=vi"
    assert url_ref("http://k/x?lang=vi&id=7", ["lang", "id"]) == "http://k/x?id=7&lang=vi"
    assert url_ref("http://k/x?ten=an&id=7", None) == "http://k/x?id=7&ten=an"
    assert url_ref("http://k/x?", None) == "http://k/x"


def test_a_page_in_its_own_url_is_named_by_digest() -> None:
    ref = url_ref("data:text/html;base64,SGVsbG8=")
    assert ref.startswith("data:text/html;")
    assert "SGVs" not in ref
    assert ref != url_ref("data:text/html;base64,SGVsbG9=")


@pytest.mark.parametrize(
    ("path", "folder", "ref"),
    [
        ("/media/vi/phim.mkv", "/media", "vi/phim.mkv"),
        ("/media/vi/../phim.mkv", "/media/", "phim.mkv"),
        ("/mediathek/phim.mkv", "/media", "phim.mkv"),
        ("/tmp/phim.mkv", None, "phim.mkv"),
        ("/media/" + unicodedata.normalize("NFD", "biên giới.mkv"), "/media", "biên giới.mkv"),
        ("/media/a\x00b\udcff.mkv", "/media", "a\ufffdb\ufffd.mkv"),
        ("/media", "/media", "media"),
        ("/", "/", NAMELESS),
        ("", None, NAMELESS),
    ],
)
def test_files(path: str, folder: str | None, ref: str) -> None:
    assert file_ref(path, folder) == ref


@given(ANYTHING | URLISH, st.lists(st.text(max_size=3), max_size=3))
def test_any_url_has_a_name_that_stays(url: str, keep: list[str]) -> None:
    ref = url_ref(url, keep)
    assert 1 <= len(ref) <= MAX_LENGTH
    assert ref.isascii()
    assert ref.isprintable()


@given(st.sampled_from(["http", "HTTPS", "rtsp"]), st.text("ab:@[]%", max_size=20), st.text("ab:@[]%/?#", max_size=20))
def test_no_user_info_is_in_a_name(scheme: str, more: str, rest: str) -> None:
    assert "geheim" not in url_ref(f"{scheme}://{more}geheim@{rest}")


@given(URLISH)
def test_a_name_is_its_own_name(url: str) -> None:
    if not url.startswith("data"):
        assert url_ref(url_ref(url)) == url_ref(url)


@given(ANYTHING, ANYTHING | st.none())
def test_any_path_has_a_name(path: str, folder: str | None) -> None:
    ref = file_ref(path, folder)
    assert 1 <= len(ref) <= MAX_LENGTH
    ref.encode()
    assert "\x00" not in ref
    assert unicodedata.is_normalized("NFC", ref)


@given(st.text(min_size=600, max_size=700), st.text(min_size=1, max_size=5))
def test_long_names_stay_apart(stem: str, ending: str) -> None:
    assert url_ref(f"http://k/{stem.encode().hex()}") != url_ref(
        f"http://k/{stem.encode().hex()}{ending.encode().hex()}"
    )


def test_what_is_a_url() -> None:
    assert is_url("https://host/x")
    assert is_url("av://lavfi:testsrc")
    assert not is_url("/media/a:b.mkv")
    assert not is_url("C:/x")
