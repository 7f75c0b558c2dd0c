"""What the hub shows over HTTP is what its database holds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tests.chromium import ChromiumProcess, Website
from tests.end_to_end.border import Kiosk
from tests.end_to_end.conftest import Border, MakeKiosk
from tests.hub.people.making import add_token
from tests.patience import until

PAGES = {"chao": "Chào mừng", "don": "Đón khách"}
PROBE = '[probes.chromium]\nuser_data_dir = "{profile}"\ninterval_s = 0.3\n'


@pytest.fixture
def kiosk(make_kiosk: MakeKiosk, browser: ChromiumProcess) -> Kiosk:
    return make_kiosk(PROBE.format(profile=browser.profile))


def _get(border: Border, path: str, **headers: str) -> Any:
    answer = httpx.get(f"{border.hub.address}/api/v1/{path}", headers=headers, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_api_and_the_page_tell_what_is_on_screen(
    border: Border, kiosk: Kiosk, browser: ChromiumProcess, site: Website
) -> None:
    seen, name = border.seen(kiosk), kiosk.device
    with kiosk, browser.start(site.url("chao")).steer() as hand:
        seen.wait_for(site.url("chao"), lambda row: row.rendering, "renders")
        hand.navigate(site.url("don"))
        seen.wait_for(site.url("don"), lambda row: row.rendering, "renders")
        until(lambda: _get(border, f"devices/{name}")["presence"] == "online", "it is heard")
        device = _get(border, f"devices/{name}")
        assert device["registered"] is False
        (screen,) = device["screens"]
        assert (screen["content_ref"], screen["showing"], screen["status"]) == (site.url("don"), "now", "running")
        assert screen["facts"]["rendering"] is True
        assert screen["grade"] == "rendering"
        page = httpx.get(border.hub.address, timeout=30)
        assert page.status_code == 200
        assert site.url("don") in page.text
        assert site.url("chao") not in page.text
    until(lambda: seen.life()[-1:] == ["stop"], "the stop")
    plays = _get(border, f"devices/{name}/plays?limit=500")["plays"]
    told = [(row["play_id"], row["slice"], row["content_ref"], row["duration_ms"], row["status"]) for row in plays]
    # By play and slice: the API sorts by wall time, which may step back by a few ms when the agent learns the hub's.
    stored = [(row.play_id, row.number, row.ref, row.duration_ms, row.status) for row in seen.slices()]
    assert sorted(told) == sorted(stored)
    token = add_token(border.connection, "read", "visitors", now=datetime.now(UTC)).text
    (stream,) = _get(border, f"devices/{name}/streams", Authorization=f"Bearer {token}")
    audited = [stream for stream in border.hub.audit()["streams"] if stream["device"] == name]
    assert stream["committed"] == audited[0]["committed"]
    until(lambda: _get(border, f"devices/{name}")["presence"] == "offline", "it has said goodbye")
    (screen,) = _get(border, f"devices/{name}")["screens"]
    assert (screen["showing"], screen["status"]) == ("last_heard", "interrupted")
