"""`ttdn-agent` as a technician uses it."""

from __future__ import annotations

from tests.end_to_end.border import Kiosk
from tests.end_to_end.conftest import Border, MakeKiosk
from tests.end_to_end.program import AGENT, run
from tests.patience import until


def test_the_status_of_a_healthy_agent(border: Border, make_kiosk: MakeKiosk) -> None:
    kiosk = make_kiosk("[probes.system]\n")
    code, answer = kiosk.status()
    assert (code, answer["running"], answer["events_in_outbox"]) == (3, False, 0)
    with kiosk:
        until(lambda: kiosk.last_status() and kiosk.last_status().connected, "the agent is connected")  # type: ignore[union-attr]
        answer = kiosk.wait_for_status(0)
        assert (answer["running"], answer["problems"]) == (True, [])
        assert answer["status"]["probes"] == {"system": ""}
        seen = border.seen(kiosk)
        until(lambda: seen.life()[-1:] == ["start"], "the start")
    until(lambda: seen.life()[-1:] == ["stop"], "the stop")
    code, answer = kiosk.status()
    assert (code, answer["running"]) == (3, False)


def test_each_start_is_a_stream_of_its_own(border: Border, make_kiosk: MakeKiosk) -> None:
    kiosk = make_kiosk()
    for _ in range(3):
        with kiosk:
            until(lambda: "connected" in kiosk.said(), "the agent is connected")
    seen = border.seen(kiosk)
    until(lambda: seen.life() == ["boot", *["start", "stop"] * 3], "three runs")
    query = "SELECT count(*) FROM stream s JOIN device d ON d.id = s.device WHERE d.name = %s"
    assert border.connection.execute(query, (kiosk.device,)).fetchone() == (3,)
    ended = "SELECT ended FROM presence p JOIN device d ON d.id = p.device WHERE d.name = %s ORDER BY since"
    until(
        lambda: border.connection.execute(ended, (kiosk.device,)).fetchall() == [("stop",)] * 3,
        "three intervals of presence, each ended by a goodbye",
    )
    assert seen.incidents() == []


def test_a_wrong_password_is_told(border: Border, make_kiosk: MakeKiosk) -> None:
    kiosk = make_kiosk()
    (kiosk.folder / "password").write_text("not this one")
    with kiosk:
        answer = kiosk.wait_for_status(1)
        assert any("no connection to a broker" in problem for problem in answer["problems"])
        until(lambda: "refuses us" in kiosk.said(), "the log names the broker's answer")
    code, answer = kiosk.status()
    assert (code, answer["running"], answer["events_in_outbox"]) == (3, False, 3)


def test_two_agents_cannot_use_one_folder(make_kiosk: MakeKiosk) -> None:
    with make_kiosk() as kiosk:
        until(lambda: "connected" in kiosk.said(), "the agent is connected")
        done = run(AGENT, "--config", kiosk.config, "run")
        assert done.returncode == 2
        assert "another agent uses" in done.stderr


def test_a_configuration_is_checked(make_kiosk: MakeKiosk) -> None:
    kiosk: Kiosk = make_kiosk("[probes.radar]\n")
    done = run(AGENT, "--config", kiosk.config, "check-config")
    assert (done.returncode, "there is no such probe" in done.stderr) == (2, True)
