"""The file with passwords of readers."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.cli.passfile import Passfile
from hub.errors import ConfigError

_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=20)


@given(passwords=st.dictionaries(_TEXT, _TEXT, max_size=4), database=_TEXT)
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, passwords: dict[str, str], database: str
) -> None:
    file = Passfile(tmp_path_factory.mktemp("pass") / "file", database)
    file.write(passwords)
    assert file.read() == passwords


def test_nobody_else_reads_it_and_other_lines_stay(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("# ours\n*:*:other:report_20:x\nlocalhost:5432:ttdn:report_20:old\nnot a line\n")
    file.chmod(0o640)
    with pytest.raises(ConfigError, match=f"chmod 600 {file}"):
        Passfile(file, "ttdn").read()
    file.chmod(0o600)
    assert Passfile(file, "ttdn").read() == {"report_20": "old"}
    Passfile(file, "ttdn").write({"report_22": "a:b", "report_20": "new"})
    assert file.read_text().splitlines() == [
        "# ours",
        "*:*:other:report_20:x",
        "not a line",
        "*:*:ttdn:report_20:new",
        r"*:*:ttdn:report_22:a\:b",
    ]
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_place_that_is_none(tmp_path: Path) -> None:
    file = Passfile(tmp_path / "none" / "file", "ttdn")
    assert file.read() == {}
    with pytest.raises(ConfigError, match="--password-file FILE"):
        file.write({"report_20": "x"})
