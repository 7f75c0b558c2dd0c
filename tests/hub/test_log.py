"""One line a record, in UTC, whatever the text holds."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Iterator

import pytest

from hub.log import Format, set_up_log


@pytest.fixture(autouse=True)
def root_as_before() -> Iterator[None]:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = before


def lines(line_format: Format) -> list[str]:
    stream = io.StringIO()
    set_up_log("info", line_format, stream)
    log = logging.getLogger("hub.test")
    log.debug("not this")
    log.info("Lạng Sơn\nforged line")
    try:
        raise ValueError("why")
    except ValueError:
        log.exception("failed")
    return stream.getvalue().splitlines()


def test_text() -> None:
    first, second = lines("text")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INFO    hub.test: Lạng Sơn\\nforged line", first)
    assert second.endswith("ValueError: why")


def test_json() -> None:
    first, second = (json.loads(line) for line in lines("json"))
    assert (first["level"], first["logger"], first["message"]) == ("info", "hub.test", "Lạng Sơn\nforged line")
    assert first["time"].endswith("Z")
    assert "ValueError: why" in second["error"]
