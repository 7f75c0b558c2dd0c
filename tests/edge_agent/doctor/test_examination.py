"""All checks together: what hangs, what has a bug, and a machine on which there is nothing."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent import cli
from edge_agent.doctor import examination, report
from edge_agent.doctor.finding import Finding, ok, warn
from edge_agent.doctor.place import Place, find_place
from edge_agent.doctor.registry import Check
from edge_agent.outbox.look import look
from edge_agent.outbox.outbox import FILE_NAME
from tests.edge_agent.doctor.telling import told
from tests.edge_agent.hand_hub import dead_port
from tests.edge_agent.outbox.making import covered, faults, outbox
from tests.edge_agent.test_cli import config, write_config  # noqa: F401 - a fixture
from tests.patience import DEADLINE_S


def test_a_check_that_hangs_or_fails_costs_the_others_nothing(caplog: pytest.LogCaptureFixture) -> None:
    release = threading.Event()

    def hangs(place: Place) -> Iterator[Finding]:
        yield ok("service", "service.few_restarts", count=0)
        release.wait(DEADLINE_S)

    def fails(place: Place) -> Iterator[Finding]:
        raise KeyError("a bug")

    def works(place: Place) -> Iterator[Finding]:
        yield warn("clock", "clock.unknown", now="now")

    checks = [Check("service", hangs, 0.1), Check("storage", fails, 5), Check("clock", works, 5)]
    found = {check.name: told(findings) for check, findings in examination.examine(Place(Path("x"), None), checks)}
    release.set()
    assert found == {
        "service": {"service": ("ok", "service.few_restarts"), "service.unfinished": ("fail", "check.hangs")},
        "storage": {"storage.unfinished": ("fail", "check.bug")},
        "clock": {"clock": ("warn", "clock.unknown")},
    }
    assert "check storage has a bug" in caplog.text


def test_a_machine_with_nothing_gets_advice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--config", str(tmp_path / "agent.toml"), "doctor"]) == 1
    said = capsys.readouterr()
    assert said.err == ""
    assert "[LỖI]       Cấu hình: không dùng được: " in said.out
    assert "-> Sửa tệp cấu hình rồi chạy: sudo ttdn-agent check-config" in said.out
    assert said.out.splitlines()[-1].endswith(" lỗi")


def test_a_machine_where_nothing_runs_is_told_alike_in_both_languages(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "state").mkdir()
    with outbox(tmp_path / "state") as opened:
        opened.append(faults(3))
    with dead_port() as port:
        config_file = write_config(tmp_path, port, "[probes.mpv]\nsocket_path = '/nowhere/mpv.sock'\n[probes.system]\n")
        reports = {}
        for language in ("vi", "en"):
            assert cli.main(["--config", str(config_file), "doctor", "--json", "--lang", language]) == 1
            reports[language] = json.loads(capsys.readouterr().out)
    outcomes = {check["id"]: check["outcome"] for check in reports["vi"]["checks"]}
    assert outcomes == {check["id"]: check["outcome"] for check in reports["en"]["checks"]}
    expected = {
        "config": "ok",
        "service": "fail",
        f"broker.127.0.0.1:{port}": "fail",
        "receipt": "fail",
        "storage.write": "ok",
        "probe.mpv": "fail",
        "outbox": "warn",  # events of 1970
        "losses": "ok",
    }
    assert outcomes.items() >= expected.items()
    for check in reports["vi"]["checks"]:
        assert set(check) == {"id", "outcome", "title", "detail", "advice", "said", "facts"}
        assert check["advice"] or check["outcome"] == "ok"
    again = report.read(json.dumps(reports["vi"]))
    assert told(again.findings())["receipt"] == ("fail", "receipt.no_broker")
    assert not [file.name for file in (tmp_path / "state").iterdir() if "doctor" in file.name], "it leaves nothing"


def test_a_configuration_that_is_read_finds_its_place(config: Path) -> None:  # noqa: F811
    place = find_place(config)
    assert place.settings is not None
    assert (place.problem, place.status, place.status_age_s) == ("", None, 0.0)


def test_what_an_outbox_holds_can_be_seen_from_outside(tmp_path: Path) -> None:
    with outbox(tmp_path) as opened:
        opened.append(faults(10))
        stream = opened.live_stream
        opened.cover(covered(stream, (1, 4), (6, 6), high=10), hello=True, hub_time_ms=5)
        opened.declare_lost(stream, opened.uncovered(stream).within(9, 10), "refused", time_ms=1, at_ms=1)
        while_open = look(tmp_path / FILE_NAME)
        assert (while_open.events, while_open.lost) == (9, {"refused": 2})
    held = look(tmp_path / FILE_NAME)
    assert (held.events, held.waiting, held.oldest_ms) == (9, 4, 1_000), "5, 7, 8 and the loss wait"
    assert held.lost == {"refused": 2}


def test_root_looks_with_the_agents_own_rights(tmp_path: Path) -> None:
    """In a process of its own, since it cannot be taken back."""
    state = tmp_path / "state"
    state.mkdir()
    is_root = os.geteuid() == 0
    if is_root:
        os.chown(state, 65534, 65534)
    asked = (
        "import os, sys; from pathlib import Path; from edge_agent.doctor.owner import become_owner\n"
        "become_owner(Path('/nowhere')); become_owner(Path(sys.argv[1]))\n"
        "print(os.getuid(), os.geteuid(), os.getegid(), 0 in os.getgroups())"
    )
    done = subprocess.run([sys.executable, "-c", asked, str(state)], capture_output=True, text=True, check=True)
    user, group = state.stat().st_uid, state.stat().st_gid
    assert done.stdout.split()[:3] == [str(user), str(user), str(group)]
    assert not is_root or done.stdout.split()[3] == "False", "none of root's groups is kept"


def test_whoever_watches_sees_what_is_waited_for(tmp_path: Path) -> None:
    """On a real terminal; what is left on it is the report alone."""
    ours, theirs = pty.openpty()
    asked = [sys.executable, "-m", "edge_agent.cli", "--config", str(tmp_path / "agent.toml"), "doctor"]
    with subprocess.Popen(asked, stdout=subprocess.PIPE, stderr=theirs) as process:
        assert process.stdout is not None
        report_text = process.stdout.read().decode()
    shown = os.read(ours, 65536).decode()
    for descriptor in (ours, theirs):
        os.close(descriptor)
    assert "đang kiểm tra: Đồng hồ ..." in shown
    assert shown.endswith("\r\033[K\r"), "the last one is wiped away"
    assert "đang kiểm tra" not in report_text
