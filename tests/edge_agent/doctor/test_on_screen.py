"""The report on real displays: a tab of a real Chromium, a real mpv's overlay, a console's file; and the way back."""

from __future__ import annotations

import base64
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge_agent import config
from edge_agent.config import AgentSettings
from edge_agent.doctor import on_screen
from edge_agent.doctor.finding import Finding, fail, ok, warn
from edge_agent.doctor.on_screen import NotShown, Picture, open_console, show
from edge_agent.probes.mpv_ipc import MpvIpc
from tests.chromium import ChromiumProcess, Website
from tests.edge_agent.test_cli import write_config
from tests.mpv import MpvProcess, make_clip
from tests.patience import until

PAGES = {"kiosk": "<h1>kiosk</h1>"}
FINDINGS: list[Finding] = [
    ok("config", "config.well", file="/etc/ttdn-agent/agent.toml", device="bg-20-cma-k1", probes="chromium, system"),
    ok("service", "service.runs", version="0.3.0", pid=812, hours=3.5),
    ok("modem.sim", "modem.sim_well", operator="Viettel"),
    warn("modem.signal", "modem.weak", percent=18, technology="umts"),
    ok("modem.apn", "modem.apn_well", apn="v-internet"),
    ok("network", "network.well", interface="wwan0", address="10.20.30.40", gateway="10.20.30.1"),
    fail("tls.hub.example.vn:8883", "tls.refuses_us", server="hub.example.vn:8883", reason="CERTIFICATE_EXPIRED"),
    warn("clock", "clock.unknown", now="2026-11-24 00:44:00"),
    ok("storage.write", "storage.keeps"),
    fail("probe.chromium", "fault", code="page_load_failed", reason="could not load http://<kiosk>/"),
]
PICTURE = Picture(findings=FINDINGS, device="bg-20-cma-k1", seconds=30, language="vi")


def settings(folder: Path, more: str) -> AgentSettings:
    return config.load(write_config(folder, 1, more), {})


def waiting(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """The time is over when the test says so."""
    over = threading.Event()
    monkeypatch.setattr(on_screen, "_wait", lambda seconds: over.wait(60))
    return over


def in_thread(finish: Callable[[], str]) -> tuple[threading.Thread, list[str]]:
    where: list[str] = []
    thread = threading.Thread(target=lambda: where.append(finish()))
    thread.start()
    return thread, where


@pytest.fixture
def kiosk(browser: ChromiumProcess, site: Website) -> ChromiumProcess:
    return browser.start(site.url("kiosk"))


def test_chromium_shows_it_over_the_page_and_then_the_page_again(
    kiosk: ChromiumProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = waiting(monkeypatch)
    with kiosk.steer() as hand:
        first = hand._session(hand.first)

        def visible() -> str:
            result = hand.call("Runtime.evaluate", first, expression="document.title + ' ' + document.visibilityState")
            return str(result["result"]["value"])

        until(lambda: visible() == "kiosk visible")
        finish = show(PICTURE, settings(tmp_path, f"[probes.chromium]\nuser_data_dir = '{kiosk.profile}'\n"), None)
        tabs = [tab for tab in hand.call("Target.getTargets")["targetInfos"] if tab["type"] == "page"]
        (report,) = [tab for tab in tabs if tab["targetId"] != hand.first]
        assert report["url"] == "about:blank", "to the agent it is no content of the kiosk's"
        session = hand._session(report["targetId"])
        text = hand.call("Runtime.evaluate", session, expression="document.body.innerText")["result"]["value"]
        assert "Kiểm tra điểm thông tin bg-20-cma-k1" in text
        assert text.index("CERTIFICATE_EXPIRED") < text.index("Viettel"), "what is wrong comes first"
        assert "could not load http://<kiosk>/" in text
        hand.call(
            "Emulation.setDeviceMetricsOverride", session, width=1920, height=1080, deviceScaleFactor=1, mobile=False
        )
        fits = hand.call("Runtime.evaluate", session, expression="document.body.scrollHeight <= innerHeight")
        assert fits["result"]["value"]
        if folder := os.environ.get("TTDN_TEST_PICTURES"):
            shot = hand.call("Page.captureScreenshot", session)["data"]
            (Path(folder) / "on_screen.png").write_bytes(base64.b64decode(shot))
        thread, where = in_thread(finish)
        over.set()
        thread.join(60)
        assert where == ["main"]
        until(lambda: len([tab for tab in hand.call("Target.getTargets")["targetInfos"] if tab["type"] == "page"]) == 1)
        until(lambda: visible() == "kiosk visible")


def test_a_doctor_that_was_killed_leaves_nothing_in_chromium(
    kiosk: ChromiumProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_screen, "_SPARE_S", 0)
    short = Picture(findings=FINDINGS, device="k", seconds=1, language="en")
    show(short, settings(tmp_path, f"[probes.chromium]\nuser_data_dir = '{kiosk.profile}'\n"), None)
    with kiosk.steer() as hand:
        until(lambda: len([tab for tab in hand.call("Target.getTargets")["targetInfos"] if tab["type"] == "page"]) == 1)


def test_mpv_shows_it_over_the_film_for_as_long_as_we_are_there(
    player: MpvProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = waiting(monkeypatch)
    clip = make_clip(tmp_path / "a.mkv", 5)
    player.start("--loop-file=inf", str(clip))
    finish = show(PICTURE, settings(tmp_path, f"[probes.mpv]\nsocket_path = '{player.socket_path}'\n"), None)
    ipc = MpvIpc(player.socket_path, timeout_s=20)
    worst = Picture(findings=[*FINDINGS[6:7]] * 40, device="bg-20-cma-k1", seconds=30, language="vi")
    ipc.send([["osd-overlay", 1, "ass-events", on_screen.overlay(worst), 0, 720, 0, True, True]])
    answers: list[Any] = []
    while not answers:  # words of the film's own may come before it
        answers = [line.data for line in ipc.receive(20) if line.request_id == 1]
    (bounds,) = answers
    ipc.close()
    assert 0 < bounds["y1"] <= 720, "what is shown fits, by mpv's own reckoning"
    assert 0 < bounds["x1"] <= 1280
    thread, where = in_thread(finish)
    over.set()
    thread.join(60)
    assert where == ["main"]


def test_what_stands_over_mpv_is_escaped() -> None:
    odd = Picture(
        findings=[fail("probe.mpv", "fault", code="media_failed", reason=r"{\an5}\Nx.mp4")],
        device="k",
        seconds=1,
        language="vi",
    )
    text = on_screen.overlay(odd)
    assert r"\{" in text
    assert r"{\an5}" not in text
    assert text.startswith("{\\an7")


def test_without_a_player_the_console_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting(monkeypatch).set()
    console = open_console(tmp_path / "tty")
    gone = settings(tmp_path, f"[probes.mpv]\nsocket_path = '{tmp_path}/nothing'\n")
    finish = show(PICTURE, gone, console)
    shown = (tmp_path / "tty").read_text()
    assert "[LỖI]" in shown
    assert finish() == str(tmp_path / "tty")
    assert (tmp_path / "tty").read_text().endswith("\033[2J\033[H"), "and it is clear again"
    with pytest.raises(NotShown, match=r"no mpv listens at .*; no console"):
        show(PICTURE, gone, open_console(tmp_path / "no folder" / "tty"))
