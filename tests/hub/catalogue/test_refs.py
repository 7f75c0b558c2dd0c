"""Names as people write them come to be what kiosks report."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contract.content_ref import file_ref, url_ref
from hub.catalogue.refs import known_as, refs
from hub.registry.rows import BadCell

_TEXT = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), max_size=20).map(
    lambda text: unicodedata.normalize("NFC", text)  # as a file's cells are
)
_HOSTS = st.sampled_from(("vietnam.vn", "VIETNAM.vn", "127.0.0.1", "[::1]", "cua-khau_1.gov.vn"))


@st.composite
def urls(draw: st.DrawFn) -> str:
    scheme = draw(st.sampled_from(("http", "HTTPS", "https", "rtsp", "file")))
    user, port = draw(st.sampled_from(("", "an:x@"))), draw(st.sampled_from(("", ":80", ":443", ":8080")))
    path = draw(_TEXT.map(lambda text: "/" + text.replace("?", "").replace("#", "")))
    query = draw(st.sampled_from(("", "?b=1&a=2", "?a=%7e&A=é", "?x")))
    place, fragment = draw(st.sampled_from(("", path))), draw(st.sampled_from(("", "#x")))
    return f"{scheme}://{user}{draw(_HOSTS)}{port}{place}{query}{fragment}"


@given(urls())
@example("http://127.0.0.1:8080/vi/thu-tuc")
@example("http://vietnam.vn/ ")
def test_pages_are_named_as_kiosks_name_them(url: str) -> None:
    query = url.partition("#")[0].partition("?")[2]
    keys = [pair.partition("=")[0] for pair in query.split("&") if query]
    assert known_as(url) == url_ref(url, keys)


@given(st.lists(_TEXT.map(lambda text: text.strip().replace("/", "").replace("\\", "")), min_size=1, max_size=3))
def test_files_are_named_as_kiosks_name_them(steps: list[str]) -> None:
    path = "/".join(step for step in steps if step not in {"", ".", ".."})
    if path and "://" not in path:
        assert known_as(path) == file_ref(f"/srv/media/{path}", "/srv/media")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.mp4", {"a.mp4"}),
        (" a b.mp4 | ./phim//c.mp4 |", {"a b.mp4", "phim/c.mp4"}),
        ("phim\\c.mp4", {"phim/c.mp4"}),
        ("phim/../c.mp4|../d.mp4", {"c.mp4", "d.mp4"}),
        (None, set()),
    ],
)
def test_several_in_a_cell(text: str | None, expected: set[str]) -> None:
    assert refs(text, "refs") == expected


def test_a_page_whose_name_is_cut_is_cut_as_kiosks_cut_it() -> None:
    url = "https://vietnam.vn/" + "ế" * 200
    assert len(url) < 500 < len(known_as(url)) <= 512
    assert refs(url, "refs") == {url_ref(url)}


@pytest.mark.parametrize("text", ["x" * 513, "http://", "http://a b/", "http://a:x/", "/", "..", "a.mp4|http://"])
def test_what_no_kiosk_can_report(text: str) -> None:
    with pytest.raises(BadCell, match="cần"):
        refs(text, "refs")
