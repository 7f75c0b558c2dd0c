"""Every lie of a browser, told by a real one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.faults import CODES
from edge_agent.probes.base import ProbeError
from edge_agent.probes.chromium import ChromiumProbe, ChromiumSettings
from edge_agent.probes.devtools import PORT_FILE
from tests.chromium import ChromiumProcess, Hand, Website
from tests.edge_agent.probes.watching import View, look, watch

PAGES = {
    "one": "one",
    "two": "two",
    "endless": "<script>setTimeout(() => { for (;;); }, 400)</script>",
    "never-drawn": "<script>window.requestAnimationFrame = () => 0</script>",
    "dialog": "<script>setTimeout(() => alert('Xin chào'), 200)</script>",
}


@pytest.fixture
def probe(browser: ChromiumProcess) -> Iterator[ChromiumProbe]:
    made = ChromiumProbe(ChromiumSettings(user_data_dir=str(browser.profile), timeout_s=1))
    yield made
    made.close()


@pytest.fixture
def hand(browser: ChromiumProcess, site: Website) -> Iterator[Hand]:
    with browser.start(site.url("one")).steer() as hand:
        yield hand


def renders(view: View, url: str) -> bool:
    return view.ref == url and view.showing.rendering is True


def test_a_good_page_is_reported_and_drawn(probe: ChromiumProbe, hand: Hand, site: Website) -> None:
    seen = watch(probe, lambda view: renders(view, site.url("one")))
    assert seen.showing.reported is True
    assert (seen.showing.turn, seen.showing.ended, seen.troubles) == (1, None, {})
    again = look(probe)
    assert (again.showing.turn, again.showing.rendering) == (1, True)


def test_a_page_gives_way_to_another_and_to_itself(probe: ChromiumProbe, hand: Hand, site: Website) -> None:
    watch(probe, lambda view: renders(view, site.url("one")))
    hand.navigate(site.url("two") + "?visitor=an#top")
    seen = watch(probe, lambda view: renders(view, site.url("two")))
    assert seen.showing.turn == 2
    hand.reload()
    watch(probe, lambda view: view.showing.turn == 3 and renders(view, site.url("two")))


def test_a_navigation_ends_the_wait(probe: ChromiumProbe, hand: Hand, site: Website) -> None:
    watch(probe, lambda view: renders(view, site.url("one")))
    steered = threading.Timer(0.3, hand.navigate, [site.url("two")])
    steered.start()
    probe.wait(1_000)  # Only an event can end it before the test's own time limit.
    steered.join()
    watch(probe, lambda view: renders(view, site.url("two")))


def test_a_failed_load_is_not_what_was_wanted(probe: ChromiumProbe, hand: Hand, site: Website) -> None:
    watch(probe, lambda view: renders(view, site.url("one")))
    hand.navigate("http://127.0.0.1:1/x")
    seen = watch(probe, lambda view: "page_load_failed" in view.troubles)
    assert (seen.ref, seen.showing.rendering) == (None, None)
    assert seen.showing.ended == "success"  # What was shown before gave way in good order.
    assert "http://127.0.0.1:1/x" in seen.troubles["page_load_failed"]


def test_a_page_that_cannot_be_loaded_anew_has_failed(probe: ChromiumProbe, hand: Hand) -> None:
    website = Website(PAGES)
    hand.navigate(website.url("two"))
    watch(probe, lambda view: renders(view, website.url("two")))
    website.close()
    hand.reload()
    seen = watch(probe, lambda view: "page_load_failed" in view.troubles)
    assert (seen.ref, seen.showing.ended) == (None, "content_failure")


def test_an_error_page_of_the_server_is_not_the_content(probe: ChromiumProbe, hand: Hand, site: Website) -> None:
    hand.navigate(site.url("missing"))
    seen = watch(probe, lambda view: "page_load_failed" in view.troubles)
    assert seen.ref is None
    assert "404" in seen.troubles["page_load_failed"]


def test_a_crashed_renderer_and_its_reload(probe: ChromiumProbe, hand: Hand, site: Website) -> None:
    watch(probe, lambda view: renders(view, site.url("one")))
    hand.crash()
    seen = watch(probe, lambda view: "page_crashed" in view.troubles)
    assert (seen.ref, seen.showing.ended) == (None, "hardware_failure")
    hand.reload()
    seen = watch(probe, lambda view: renders(view, site.url("one")))
    assert (seen.showing.turn, seen.troubles) == (2, {})


def test_a_page_that_crashed_before_anybody_looked(browser: ChromiumProcess, hand: Hand, site: Website) -> None:
    settings = ChromiumSettings(user_data_dir=str(browser.profile))
    witness, late = ChromiumProbe(settings), ChromiumProbe(settings)
    watch(witness, lambda view: renders(view, site.url("one")))
    hand.crash()
    watch(witness, lambda view: "page_crashed" in view.troubles)
    assert watch(late, lambda view: "page_crashed" in view.troubles).ref is None
    witness.close()
    late.close()


@pytest.mark.parametrize("name", ["endless", "dialog"])
def test_a_page_that_hangs_is_still_the_content(probe: ChromiumProbe, hand: Hand, site: Website, name: str) -> None:
    hand.navigate(site.url(name))
    seen = watch(probe, lambda view: "page_hung" in view.troubles)
    assert (seen.ref, seen.showing.reported, seen.showing.rendering) == (site.url(name), True, False)
    assert look(probe).showing.turn == seen.showing.turn


def test_a_page_that_hung_until_it_was_replaced_has_failed(probe: ChromiumProbe, hand: Hand, site: Website) -> None:
    hand.navigate(site.url("endless"))
    watch(probe, lambda view: "page_hung" in view.troubles)
    elsewhere = site.url("two").replace("127.0.0.1", "localhost")  # Another site gets another renderer.
    hand.navigate(elsewhere)
    seen = watch(probe, lambda view: view.ref == elsewhere)
    assert seen.showing.ended == "hardware_failure"
    assert watch(probe, lambda view: renders(view, elsewhere)).troubles == {}


def test_an_empty_tab_hides_the_page(probe: ChromiumProbe, hand: Hand, site: Website) -> None:
    watch(probe, lambda view: renders(view, site.url("one")))
    tab = hand.open_tab("about:blank")
    seen = watch(probe, lambda view: "page_hidden" in view.troubles)
    assert (seen.ref, seen.showing.rendering, seen.showing.turn) == (site.url("one"), False, 1)
    hand.close_tab(tab)
    assert watch(probe, lambda view: renders(view, site.url("one"))).showing.turn == 1


def test_a_tab_over_the_page_is_what_is_shown(probe: ChromiumProbe, hand: Hand, site: Website) -> None:
    watch(probe, lambda view: renders(view, site.url("one")))
    tab = hand.open_tab(site.url("two"))
    seen = watch(probe, lambda view: renders(view, site.url("two")))
    assert (seen.showing.turn, seen.troubles) == (2, {})
    hand.close_tab(tab)
    assert watch(probe, lambda view: renders(view, site.url("one"))).showing.turn == 3


def test_a_minimised_window_renders_nothing(probe: ChromiumProbe, hand: Hand, site: Website) -> None:
    watch(probe, lambda view: renders(view, site.url("one")))
    hand.set_window("minimized")
    seen = watch(probe, lambda view: "page_hidden" in view.troubles)
    assert (seen.ref, seen.showing.rendering) == (site.url("one"), False)
    hand.set_window("normal")
    assert watch(probe, lambda view: renders(view, site.url("one"))).troubles == {}


def test_a_page_of_which_no_frame_comes(probe: ChromiumProbe, hand: Hand, site: Website) -> None:
    hand.navigate(site.url("never-drawn"))
    seen = watch(probe, lambda view: "page_not_drawn" in view.troubles)
    assert (seen.ref, seen.showing.rendering) == (site.url("never-drawn"), False)


def test_a_frozen_browser(probe: ChromiumProbe, browser: ChromiumProcess, hand: Hand, site: Website) -> None:
    watch(probe, lambda view: renders(view, site.url("one")))
    browser.freeze()
    seen = watch(probe, lambda view: "browser_frozen" in view.troubles)
    assert (seen.ref, seen.showing.reported, seen.showing.rendering) == (site.url("one"), None, False)
    late = ChromiumProbe(ChromiumSettings(user_data_dir=str(browser.profile), timeout_s=1))
    assert (look(late).ref, list(look(late).troubles)) == (None, ["browser_frozen"])
    late.close()
    browser.resume()
    seen = watch(probe, lambda view: renders(view, site.url("one")))
    assert (seen.showing.turn, seen.troubles) == (1, {})


def test_a_browser_that_is_killed_and_comes_back(probe: ChromiumProbe, browser: ChromiumProcess, site: Website) -> None:
    assert list(look(probe).troubles) == ["browser_gone"]  # The agent starts before the browser.
    browser.start(site.url("one"))
    watch(probe, lambda view: renders(view, site.url("one")))
    browser.kill()
    seen = watch(probe, lambda view: "browser_gone" in view.troubles)
    assert (seen.ref, seen.showing.ended) == (None, "hardware_failure")
    assert (browser.profile / PORT_FILE).exists()  # Stale: the port refuses.
    assert (look(probe).ref, list(look(probe).troubles)) == (None, ["browser_gone"])
    browser.start(site.url("two"))
    assert watch(probe, lambda view: renders(view, site.url("two"))).showing.turn == 2


def test_no_page_at_all(probe: ChromiumProbe, hand: Hand, site: Website) -> None:
    watch(probe, lambda view: renders(view, site.url("one")))
    tab = hand.open_tab("about:blank")
    hand.close_tab(hand.first)
    seen = watch(probe, lambda view: view.ref is None)
    assert (seen.showing.rendering, seen.showing.ended) == (None, "success")
    hand.close_tab(tab)
    watch(probe, lambda view: "page_missing" in view.troubles)


def test_closing_ends_a_wait(probe: ChromiumProbe, hand: Hand, site: Website) -> None:
    watch(probe, lambda view: renders(view, site.url("one")))
    waiting = threading.Thread(target=probe.wait, args=(1_000,))
    waiting.start()
    probe.close()
    waiting.join(30)
    assert not waiting.is_alive()
    probe.close()


def test_a_port_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / PORT_FILE).mkdir()  # Reads as an error even for root.
    probe = ChromiumProbe(ChromiumSettings(user_data_dir=str(tmp_path)))
    with pytest.raises(ProbeError, match=PORT_FILE):
        probe.read()
    probe.close()


def test_another_program_at_the_old_port(tmp_path: Path, site: Website) -> None:
    port = site.url("").split(":")[2].rstrip("/")
    (tmp_path / PORT_FILE).write_text(f"{port}\n/devtools/browser/gone")
    probe = ChromiumProbe(ChromiumSettings(user_data_dir=str(tmp_path)))
    assert list(look(probe).troubles) == ["browser_gone"]
    probe.close()


def test_every_trouble_is_documented() -> None:
    named = {"browser_gone", "browser_frozen", "page_missing", "page_load_failed", "page_crashed", "page_hung"}
    assert named | {"page_hidden", "page_not_drawn"} <= CODES.keys()
