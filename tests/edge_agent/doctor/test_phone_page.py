"""The page for a technician's telephone: switched on by the command, seen in a real Chromium 390 px wide."""

from __future__ import annotations

import base64
import http.client
import json
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec
import pytest

from edge_agent import cli
from edge_agent.cli import page as page_command
from edge_agent.clock import boottime_ms
from edge_agent.doctor import page_process, phone_page
from edge_agent.doctor.page_process import Wanted
from edge_agent.errors import AgentFailed, ConfigError
from simulator.ports import HOST
from tests.chromium import ChromiumProcess
from tests.edge_agent.hand_hub import dead_port
from tests.edge_agent.test_cli import write_config
from tests.patience import DEADLINE_S, until

CODE = "012345"


class On(NamedTuple):
    """A page that is on."""

    config: Path
    port: int

    def ask(self, method: str, path: str, body: str = "", **headers: str) -> tuple[int, dict[str, str], str]:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=DEADLINE_S)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read().decode()
        finally:
            connection.close()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[On]:
    folder = tmp_path_factory.mktemp("page")
    (folder / "state").mkdir()
    with dead_port() as port:
        config = write_config(folder, port, "[probes.system]\n[probes.mpv]\nsocket_path = '/nowhere/mpv.sock'\n")
        urls = page_process.switch_on(config, Wanted(code=CODE, minutes=5, port=0))
        yield On(config, urlsplit(urls[0]).port or 0)
        assert page_process.switch_off(folder / "runtime")
        assert not page_process.switch_off(folder / "runtime")


def test_a_telephone_sees_it_and_needs_no_scrolling_sideways(page: On, browser: ChromiumProcess) -> None:
    url = f"http://{HOST}:{page.port}/"
    with browser.start("about:blank").steer() as hand:
        session = hand._session(hand.first)
        hand.call(
            "Emulation.setDeviceMetricsOverride", session, width=390, height=844, deviceScaleFactor=2, mobile=True
        )
        hand.call("Page.enable", session)

        def said(expression: str) -> object:
            return hand.call("Runtime.evaluate", session, expression=expression)["result"].get("value")

        def look(name: str) -> None:
            assert said("document.documentElement.scrollWidth <= innerWidth"), f"{name} scrolls sideways"
            if folder := os.environ.get("TTDN_TEST_PICTURES"):
                shot = hand.call("Page.captureScreenshot", session, captureBeyondViewport=True)["data"]
                (Path(folder) / f"{name}.png").write_bytes(base64.b64decode(shot))

        hand.navigate(url)
        until(lambda: said("document.readyState === 'complete' && document.querySelector('input') !== null"))
        assert said("getComputedStyle(document.body).fontSize") == "16px", "its style came, by its policy"
        look("code")
        assert "nội bộ" not in str(said("document.body.innerText"))
        said(f"document.querySelector('input').value = '{CODE}'; document.querySelector('form').submit()")
        until(lambda: said("document.readyState === 'complete' && document.querySelector('meta[http-equiv]') !== null"))

        def measured() -> bool:
            said("window.before = true")
            hand.navigate(url)
            until(lambda: said("window.before === undefined && document.readyState === 'complete'"))
            return bool(said("document.querySelector('li') !== null"))

        until(measured)
        text = str(said("document.body.innerText"))
        assert "Kiểm tra điểm thông tin bg-20-cma-k1" in text
        assert "LỖI Tác tử: tác tử không chạy" in text
        assert "Thiết bị    bg-20-cma-k1; tác tử không chạy" in text
        assert "Không có thông tin của khách" in text
        assert said("performance.getEntriesByType('resource').every(entry => entry.name.startsWith(location.origin))")
        look("result")
        hand.navigate(f"{url}?lang=en")
        until(lambda: "FAIL Agent: the agent does not run" in str(said("document.body.innerText")))
        look("result_en")
        cookies = said("document.cookie")
        assert cookies == "", "no script can read the cookie"


def test_strangers_get_nothing(page: On) -> None:
    status, headers, text = page.ask("GET", "/", Host=f"{HOST}:{page.port}")
    assert (status, "bg-20-cma-k1" in text) == (200, False)
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self'")
    assert headers["Cache-Control"] == "no-store"
    for method, path, body, host, expected in (
        ("GET", "/", "", "evil.example", 403),
        ("GET", "/../etc/passwd", "", "", 404),
        ("POST", "/again", "", "", 404),
        ("POST", "/code", "code=" + "1" * 100, "", 413),
        ("POST", "/code", "odd", "", 403),
        ("POST", "/code", "code=%F0%28", "", 403),
        ("DELETE", "/", "", "", 501),
    ):
        got, _, _ = page.ask(method, path, body, Host=host or f"{HOST}:{page.port}")
        assert got == expected, (method, path)
    long = {"Host": f"{HOST}:{page.port}", "Content-Length": "000000400000000"}
    assert page.ask("POST", "/code", **long)[0] == 413, "answered before any of it is read"
    status, _, text = page.ask("GET", "/", Cookie="ttdn_page=made-up")
    assert (status, "bg-20-cma-k1" in text) == (200, False)


def test_the_command_tells_of_a_page_that_is_on(page: On, capsys: pytest.CaptureFixture[str]) -> None:
    def said(*words: str) -> tuple[int, str]:
        return cli.main(["--config", str(page.config), "page", *words]), capsys.readouterr().out

    assert said("show", "--lang", "en")[0] == 0
    assert said("on") == (1, "Trang kiểm tra đang mở; muốn mã mới, đóng trước: sudo ttdn-agent page off\n")
    noted = (page.config.parent / "runtime" / page_process.NAME).read_text()
    assert CODE not in noted
    limits = Path(f"/proc/{json.loads(noted)['pid']}/limits").read_text()
    assert re.search(r"^Max data size +268435456 ", limits, re.MULTILINE)


def test_on_and_off_by_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = write_config(tmp_path, 1)

    def said(*words: str) -> tuple[int, str]:
        return cli.main(["--config", str(config), "page", *words]), capsys.readouterr().out

    code, text = said("on", "--port", "0", "--minutes", "1", "--lang", "en")
    assert code == 0
    assert re.search(r"^  http://[0-9.]+:[0-9]+/$", text, re.MULTILINE)
    assert re.search(r"Code \(works once\): [0-9]{3} [0-9]{3}\n", text)
    assert said("off") == (0, "Trang kiểm tra đã đóng.\n")
    assert said("show") == (3, "Trang kiểm tra không mở.\n")
    assert said("off") == (0, "Trang kiểm tra không mở.\n")


def test_why_it_cannot_be_switched_on(tmp_path: Path, page: On) -> None:
    config = write_config(tmp_path, 1)
    with pytest.raises(ConfigError, match="six digits"):
        page_process.switch_on(config, Wanted(code="secret"))
    with pytest.raises(AgentFailed, match=f"port {page.port} cannot be used"):
        page_process.switch_on(config, Wanted(code=CODE, port=page.port))
    with pytest.raises(AgentFailed, match=r"nowhere\.toml"):
        page_process.switch_on(tmp_path / "nowhere.toml", Wanted(code=CODE))


def test_root_obeys_no_file_of_the_agents_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Which process to end says a file that the agent's user can write; so that user's rights must do for it."""
    config = write_config(tmp_path, 1)
    became: list[Path] = []
    monkeypatch.setattr(page_command, "become_owner", became.append)

    def kill(pid: int, _: int) -> None:
        assert became == [tmp_path / "state"], "first become the user, then look and act"
        raise PermissionError

    monkeypatch.setattr(os, "kill", kill)
    now_ms = boottime_ms()
    noted = page_process.Open(pid=os.getpid(), at_ms=now_ms, until_ms=now_ms + 10**6, urls=["http://\x1b[2J"])
    (tmp_path / "runtime").mkdir(exist_ok=True)
    (tmp_path / "runtime" / page_process.NAME).write_bytes(msgspec.json.encode(noted))
    assert cli.main(["--config", str(config), "page", "off"]) == 1
    assert "is not the page's" in capsys.readouterr().err
    assert cli.main(["--config", str(config), "page", "show"]) == 0
    assert "http://\\x1b[2J" in capsys.readouterr().out


class _Quiet:
    """Measures nothing."""

    closed = False

    def close(self) -> None:
        self.closed = True


def test_it_closes_when_its_time_is_over_or_somebody_guesses() -> None:
    measuring = _Quiet()
    over = phone_page.PhonePage(measuring, CODE, port=0, until_s=time.monotonic() + 0.05, own=list)  # type: ignore[arg-type]
    over.serve()
    assert measuring.closed
    guessed = phone_page.PhonePage(_Quiet(), CODE, port=0, until_s=time.monotonic() + 3600, own=list)  # type: ignore[arg-type]
    guessed._door = guessed._door.__class__(code_sha256=b"x", wrong=19)
    assert guessed.knock("999999")[0] == "closed"
    guessed.serve()
