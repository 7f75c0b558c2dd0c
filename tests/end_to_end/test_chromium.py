"""Pages in a real Chromium, and what the database says was shown of them."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.chromium import ChromiumProcess, Website
from tests.end_to_end.border import Kiosk
from tests.end_to_end.conftest import Border, MakeKiosk
from tests.end_to_end.seen import check_plays, shown_ms
from tests.patience import until

PAGES = {
    "one": "Cửa khẩu quốc tế",
    "two": "two",
    "endless": "<script>setTimeout(() => { for (;;); }, 400)</script>",
}
PROBE = """
[probes.chromium]
user_data_dir = "{profile}"
interval_s = 0.3
timeout_s = 1.5
"""


@pytest.fixture
def kiosk(make_kiosk: MakeKiosk, browser: ChromiumProcess) -> Iterator[Kiosk]:
    with make_kiosk(PROBE.format(profile=browser.profile)) as kiosk:
        yield kiosk


def test_pages_that_follow_each_other(border: Border, kiosk: Kiosk, browser: ChromiumProcess, site: Website) -> None:
    seen = border.seen(kiosk)
    began = time.monotonic()
    with browser.start(site.url("one")).steer() as hand:
        seen.wait_for(site.url("one"), lambda row: row.rendering, "renders")
        drawn = time.monotonic()
        time.sleep(2)
        left = time.monotonic()
        hand.navigate(site.url("two") + "?visitor=an#top")
        seen.wait_for(site.url("two"), lambda row: row.rendering, "renders")
        gone = time.monotonic()
        hand.navigate("http://127.0.0.1:1/x")
        fault = seen.wait_for_fault("page_load_failed")
    assert "http://127.0.0.1:1/x" in fault.reason
    assert seen.contents() == [site.url("one"), site.url("two")]  # What failed to load was not shown.
    check_plays(seen.slices())
    one, two = seen.slices(site.url("one")), seen.slices(site.url("two"))
    assert (one[-1].status, two[-1].status) == ("success", "success")
    assert {(row.screen, row.player, row.panel) for row in one} == {("main", "chromium", "unknown")}
    look_ms = 2_500
    assert (left - drawn) * 1000 - look_ms < shown_ms(one, rendering=True) < (gone - began) * 1000
    assert all(row.reported for row in [*one, *two])
    until(lambda: "fault: page_load_failed" in kiosk.status()[1]["problems"], "ttdn-agent status names the fault")


def test_a_page_that_is_hidden_does_not_render(
    border: Border, kiosk: Kiosk, browser: ChromiumProcess, site: Website
) -> None:
    seen = border.seen(kiosk)
    with browser.start(site.url("one")).steer() as hand:
        seen.wait_for(site.url("one"), lambda row: row.rendering, "renders")
        tab = hand.open_tab("about:blank")
        seen.wait_for(site.url("one"), lambda row: row.rendering is False, "does not render")
        hidden = time.monotonic()
        time.sleep(1.5)
        hidden_ms = (time.monotonic() - hidden) * 1000
        hand.close_tab(tab)
        seen.wait_for(site.url("one"), lambda row: row.rendering is False and row.duration_ms > 0, "was hidden")
        until(lambda: seen.slices()[-1].rendering, "it renders again")
    assert set(seen.codes()) - {"browser_gone"} == {"page_hidden"}  # The agent may have come before the browser.
    assert len({row.play_id for row in seen.slices()}) == 1  # It was there all the while.
    check_plays(seen.slices())
    assert shown_ms(seen.slices(), rendering=False) > hidden_ms - 1_000


def test_a_page_that_hangs_and_a_renderer_that_dies(
    border: Border, kiosk: Kiosk, browser: ChromiumProcess, site: Website
) -> None:
    seen = border.seen(kiosk)
    with browser.start(site.url("one")).steer() as hand:
        seen.wait_for(site.url("one"), lambda row: row.rendering, "renders")
        hand.crash()
        seen.wait_for(site.url("one"), lambda row: row.status == "hardware_failure", "died")
        assert site.url("one") in seen.wait_for_fault("page_crashed").reason
        hand.reload()
        until(lambda: seen.contents() == [site.url("one")] * 2, "the page is back as a play of its own")
        hand.navigate(site.url("endless"))
        seen.wait_for(site.url("endless"), lambda row: row.reported and row.rendering is False, "hangs")
        assert site.url("endless") in seen.wait_for_fault("page_hung").reason
    kiosk.stop()
    until(lambda: seen.life()[-1:] == ["stop"], "the stop")
    check_plays(seen.slices())
    assert seen.slices()[-1].status == "interrupted"


def test_a_browser_that_is_killed(border: Border, kiosk: Kiosk, browser: ChromiumProcess, site: Website) -> None:
    seen = border.seen(kiosk)
    browser.start(site.url("one"))
    seen.wait_for(site.url("one"), lambda row: row.rendering, "renders")
    browser.kill()
    seen.wait_for(site.url("one"), lambda row: row.status == "hardware_failure", "died")
    until(lambda: "browser_gone" in seen.codes(), "the fault")
    browser.start(site.url("two"))
    seen.wait_for(site.url("two"), lambda row: row.rendering, "renders")
    check_plays(seen.slices())
