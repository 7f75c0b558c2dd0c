"""Real players that a test may start: a Chromium with a website to show, an mpv."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chromium import ChromiumProcess, Website
from tests.mpv import MpvProcess


@pytest.fixture(scope="module")
def site(request: pytest.FixtureRequest) -> Iterator[Website]:
    """The pages that the test's module names in `PAGES`."""
    website = Website(request.module.PAGES)
    yield website
    website.close()


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[ChromiumProcess]:
    """Not started yet."""
    process = ChromiumProcess(tmp_path / "profile")
    yield process
    process.kill()


@pytest.fixture
def player(tmp_path: Path) -> Iterator[MpvProcess]:
    """Not started yet."""
    process = MpvProcess(tmp_path)
    yield process
    process.kill()
