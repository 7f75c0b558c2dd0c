"""What each check makes of what it reads, without reading."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from contract.events import Facts
from contract.status import Queue
from edge_agent import condition
from edge_agent.clock_floor import BUILT_MS
from edge_agent.condition import Moment
from edge_agent.doctor.addresses import Address
from edge_agent.doctor.checks import (
    broker,
    budget,
    certificate,
    clock,
    machine,
    names,
    network,
    outbox,
    probes,
    screens,
    service,
)
from edge_agent.doctor.checks import tls as tls_check
from edge_agent.doctor.hub import Answered, Obstacle, Server
from edge_agent.doctor.place import Place
from edge_agent.doctor.x509_dates import Dates
from edge_agent.identity.keeper import CertificateStatus
from edge_agent.observation import Content, Reading, ScreenPower, Showing, Vitals
from edge_agent.observation import Trouble as Seen
from edge_agent.outbox.look import Held
from edge_agent.probes.system import SystemSettings
from edge_agent.status_file import AgentStatus, OnScreen
from edge_agent.words import LANGUAGES, Language
from tests.edge_agent.doctor.telling import told
from tests.edge_agent.test_condition import a_status

NOW_MS = BUILT_MS + 200 * 86_400_000
DAY_MS = 86_400_000


def an_agent(**changes: object) -> AgentStatus:
    healthy = replace(a_status(os.getpid(), 10_000_000), online=True, receipt_ms=9_990_000, rtt_ms=80)
    return replace(healthy, **changes)


# -- the agent ---------------------------------------------------------------------------------------------------------

SHOWN = "LoadState=loaded\nActiveState=active\nSubState=running\nResult=success\nNRestarts=0\nUnitFileState=enabled\n"


def test_the_service() -> None:
    well = service.parse(SHOWN)
    assert told(service.judge(an_agent(), 3, well)) == {
        "service": ("ok", "service.runs"),
        "restarts": ("ok", "service.few_restarts"),
    }
    often = service.parse(SHOWN.replace("NRestarts=0", "NRestarts=9").replace("=enabled", "=disabled"))
    assert told(service.judge(an_agent(), 31, often)) == {
        "service": ("fail", "service.hangs"),
        "restarts": ("warn", "service.restarts"),
        "autostart": ("warn", "service.not_enabled"),
    }
    assert told(service.judge(None, 0, None)) == {"service": ("fail", "service.stopped")}
    unknown = service.parse("LoadState=not-found\nActiveState=inactive\n")
    assert told(service.judge(None, 0, unknown)) == {"service": ("fail", "service.stopped")}
    assert service.parse("Failed to connect to bus") is None


# -- the way to the hub ------------------------------------------------------------------------------------------------

ROUTES = """\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
wlan0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0
eth0\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0
ppp0\t00000000\t00000000\t0000\t0\t0\t1\t00000000\t0\t0\t0
eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
rubbish
x\t00000000\tzz\t0003\t0\t0\t1\t00000000
"""


def test_the_network() -> None:
    routes = network.parse_routes(ROUTES)
    assert [(route.interface, route.gateway) for route in routes] == [("eth0", "192.0.2.1"), ("wlan0", "192.168.1.1")]
    eth0 = Address("eth0", "192.0.2.7")
    assert told([network.judge(routes, [eth0], [])]) == {"network": ("ok", "network.well")}
    assert told([network.judge(routes, [eth0], ["eth0"])]) == {"network": ("warn", "network.no_carrier")}
    assert told([network.judge(routes, [], [])]) == {"network": ("fail", "network.no_address")}
    lonely = Address("eth0", "169.254.3.4")
    assert told([network.judge(routes, [lonely], [])]) == {"network": ("fail", "network.self_given")}
    assert told([network.judge([], [lonely], ["wlan0"])]) == {"network": ("fail", "network.no_route")}
    assert network.parse_routes("") == []


def test_names() -> None:
    assert told([names.judge("h", ["192.0.2.1"], 0.1, "")]) == {"dns.h": ("ok", "dns.well")}
    assert told([names.judge("h", ["192.0.2.1"], 9.0, "")]) == {"dns.h": ("warn", "dns.slow")}
    assert told([names.judge("h", [], 0.1, "Name or service not known")]) == {"dns.h": ("fail", "dns.not_found")}


@pytest.mark.parametrize("code", ["untrusted", "refuses_us", "tls", "timeout", "unreachable"])
def test_tls_that_fails(code: str) -> None:
    server = Server(reached=True, trouble=Obstacle(code, "why"))
    assert told([tls_check.judge("h:1", server, NOW_MS)]) == {"tls.h:1": ("fail", f"tls.{code}")}


def test_tls() -> None:
    for days, expected in (100, ("ok", "tls.well")), (5, ("warn", "tls.soon")), (-5, ("ok", "tls.well")):
        server = Server(reached=True, dates=Dates(0, NOW_MS + days * DAY_MS))
        assert told([tls_check.judge("h:1", server, NOW_MS)]) == {"tls.h:1": expected}, (
            "an expired one is refused by the connection itself; our clock may be wrong"
        )
    assert tls_check.judge("h:1", Server(reached=False, trouble=Obstacle("closed", "")), NOW_MS) is None


@pytest.mark.parametrize("code", ["no_name", "closed", "timeout", "unreachable"])
def test_a_broker_that_is_not_there(code: str) -> None:
    finding = broker.judge_reached("h:1", Server(reached=False, trouble=Obstacle(code, "why")))
    assert told([finding]) == {"broker.h:1": ("fail", f"broker.{code}")}


def test_brokers() -> None:
    assert told([broker.judge_reached("h:1", Server(reached=True))]) == {"broker.h:1": ("ok", "broker.reached")}
    assert told([broker.judge_let_in("h:1", Answered(let_in=True))]) == {"broker.h:1": ("ok", "broker.let_in")}
    assert told([broker.judge_let_in("h:1", Answered(let_in=False, why="no"))]) == {
        "broker.h:1": ("fail", "broker.refuses")
    }


def test_the_receipt_of_a_running_agent() -> None:
    for changes, expected in (
        ({}, ("ok", "receipt.well")),
        ({"rtt_ms": None}, ("ok", "receipt.well")),
        ({"rtt_ms": 9_000}, ("warn", "receipt.slow")),
        ({"connected": False, "last_error": ""}, ("warn", "receipt.begins")),
        ({"connected": False, "last_error": "why"}, ("fail", "receipt.offline")),
        ({"online": False}, ("fail", "receipt.none")),
        ({"receipt_ms": None}, ("fail", "receipt.none")),
        ({"receipt_ms": 9_000_000}, ("fail", "receipt.old")),
    ):
        assert told([broker.judge_receipt(an_agent(**changes), 10_000_000)]) == {"receipt": expected}


def test_the_receipt_of_our_own_hello() -> None:
    for answered, expected in (
        (Answered(let_in=True, rtt_ms=70), ("ok", "receipt.answered")),
        (Answered(let_in=True, rtt_ms=7_000), ("warn", "receipt.slow")),
        (Answered(let_in=True), ("fail", "receipt.no_answer")),
    ):
        assert told([broker.judge_round_trip(answered)]) == {"receipt": expected}


# -- certificates and time ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("id_", ["certificate.own", "certificate.authority"])
def test_certificates(id_: str) -> None:
    for begins, days, expected in (
        (0, 200, ("ok", f"{id_}.well")),
        (0, 30, ("warn", f"{id_}.soon")),
        (0, -1, ("fail", f"{id_}.expired")),
        (NOW_MS + 1, 300, ("warn", "certificate.future")),
    ):
        assert told([certificate.judge(id_, Dates(begins, NOW_MS + days * DAY_MS), NOW_MS)]) == {id_: expected}


def test_a_renewal_that_fails_is_told_long_before_the_end() -> None:
    finding = certificate.judge("certificate.own", Dates(0, NOW_MS + 100 * DAY_MS), NOW_MS, "the hub does not answer")
    assert told([finding]) == {"certificate.own": ("warn", "certificate.own.not_renewed")}


def test_the_clock() -> None:
    right = clock.Reading(wall_ms=NOW_MS, floor_ms=BUILT_MS, synchronised=True, offset_ms=40)
    for reading, expected in (
        (right, ("ok", "clock.well")),
        (replace(right, offset_ms=None), ("ok", "clock.well")),
        (replace(right, offset_ms=-300_000), ("warn", "clock.far")),
        (replace(right, synchronised=False), ("warn", "clock.unknown")),
        (replace(right, synchronised=False, agent_knows=True), ("ok", "clock.by_hub")),
        (replace(right, wall_ms=0), ("fail", "clock.behind_floor")),
        (replace(right, wall_ms=0, agent_knows=True), ("warn", "clock.behind_floor_known")),
    ):
        assert told([clock.judge(reading)]) == {"clock": expected}


# -- the machine -------------------------------------------------------------------------------------------------------

WELL = Vitals(at_ms=1, temperature_c=50.0, undervoltage=False, storage_errors=0, disk_free_bytes=10**10)


def test_a_machine_that_is_well() -> None:
    assert told(machine.judge([WELL], SystemSettings(), [])) == {
        "power": ("ok", "power.well"),
        "temperature": ("ok", "temperature.well"),
        "storage.space": ("ok", "storage.room"),
        "storage.errors": ("ok", "storage.no_errors"),
        "storage.write": ("ok", "storage.keeps"),
    }
    nothing_known = told(machine.judge([Vitals(at_ms=1)], SystemSettings(), []))
    assert nothing_known == {"storage.write": ("ok", "storage.keeps")}, "what a machine does not have is not told"


def test_a_machine_that_is_not() -> None:
    ill = Vitals(at_ms=1, temperature_c=90.0, undervoltage=True, storage_errors=3, disk_free_bytes=10)
    canary = Seen(code="storage_failing", reason=f"/x/{machine.CANARY}: Input/output error")
    assert told(machine.judge([ill, canary], SystemSettings(), [])) == {
        "power": ("fail", "power.low"),
        "temperature": ("fail", "temperature.hot"),
        "storage.space": ("fail", "storage.full"),
        "storage.errors": ("fail", "storage.errors"),
        "storage.write": ("fail", "storage.forgets"),
    }
    short = replace(WELL, disk_free_bytes=300_000_000)
    found = told(machine.judge([short], SystemSettings(), ["undervoltage"]))
    assert found["storage.space"] == ("warn", "storage.tight")
    assert found["power"] == ("fail", "power.low"), "the running agent has seen the alarm, which stands for 2 s only"


def test_mounts_and_wear() -> None:
    mounts = "/dev/root / ext4 rw,noatime 0 0\n/dev/b /var/lib ext4 ro,relatime 0 0\ntmpfs /run tmpfs rw 0 0\nodd\n"
    assert machine.mounted_read_only(mounts, "/var/lib/ttdn-agent")
    assert not machine.mounted_read_only(mounts, "/var/library")
    assert not machine.mounted_read_only("", "/x")
    assert machine.worn_percent("0x01 0x03\n") == 30
    assert [machine.worn_percent(text) for text in ("", "0x00 0x00", "odd")] == [None, None, None]
    assert told(machine.judge_wear(30)) == {"storage.wear": ("ok", "storage.fresh")}
    assert told(machine.judge_wear(90)) == {"storage.wear": ("warn", "storage.worn")}
    assert told(machine.judge_wear(None)) == {}


# -- players, screens, outbox ------------------------------------------------------------------------------------------

SHOWING = Showing(at_ms=1, screen="main", player="mpv", content=Content("a.mp4"), reported=True, rendering=True)


def test_what_a_probe_sees() -> None:
    cases: list[tuple[list[Reading], tuple[str, str]]] = [
        ([SHOWING], ("ok", "probe.sees")),
        ([replace(SHOWING, rendering=False)], ("warn", "probe.still")),
        ([replace(SHOWING, content=None)], ("warn", "probe.nothing")),
        ([], ("warn", "probe.nothing")),
        ([SHOWING, Seen(code="video_stuck", reason="a.mp4 has not moved")], ("fail", "fault")),
    ]
    for readings, expected in cases:
        assert told([probes.judge("mpv", readings)]) == {"probe.mpv": expected}
    assert told([probes.judge("mpv", [SHOWING], "no access")]) == {"probe.mpv": ("fail", "probe.blind")}


def test_out_of_hours_nothing_need_be_shown() -> None:
    """So that an update which ends after closing time is not taken for one that broke the player."""
    assert told([probes.judge("mpv", [], closed=True)]) == {"probe.mpv": ("ok", "probe.closed")}
    asleep = ScreenPower(at_ms=1, screen="main", state="asleep", panel_on=False)
    assert told(screens.judge([asleep], closed=True)) == {"screen.main": ("ok", "screen.closed")}
    gone = replace(asleep, state="disconnected")
    assert told(screens.judge([gone], closed=True)) == {"screen.main": ("fail", "screen.disconnected")}


def test_screens() -> None:
    active = ScreenPower(at_ms=1, screen="main", state="active")
    for power, expected in (
        (active, ("ok", "screen.active")),
        (replace(active, panel_on=True), ("ok", "screen.lit")),
        (replace(active, brightness=0), ("warn", "screen.dark")),
        (replace(active, state="asleep", panel_on=False), ("warn", "screen.asleep")),
        (replace(active, state="disconnected", panel_on=False), ("fail", "screen.disconnected")),
    ):
        assert told(screens.judge([power, Seen(code="screen_disconnected")])) == {"screen.main": expected}
    missing = Seen(code="screen_missing", reason="led: this machine has no output HDMI-A-2")
    assert told(screens.judge([missing])) == {"screen.led": ("fail", "fault")}


def test_the_outbox() -> None:
    held = Held(events=10, waiting=10, oldest_ms=NOW_MS - 3_600_000, bytes=1_000)
    well = {"outbox": ("ok", "outbox.well"), "losses": ("ok", "outbox.no_losses")}
    assert told(outbox.judge(held, None, 10**6, NOW_MS)) == well
    old = replace(held, oldest_ms=NOW_MS - 2 * DAY_MS)
    assert told(outbox.judge(old, None, 10**6, NOW_MS))["outbox"] == ("warn", "outbox.old")
    assert told(outbox.judge(old, an_agent(), 10**6, NOW_MS)) == well, "a running agent knows better what waits"
    assert told(outbox.judge(replace(held, bytes=990_000), None, 10**6, NOW_MS))["outbox"] == (
        "warn",
        "outbox.nearly_full",
    )
    full = an_agent(queue=Queue(events=10, full=True, refused=2), dropped=2)
    assert told(outbox.judge(replace(held, lost={"refused": 3}), full, 10**6, NOW_MS)) == {
        "outbox": ("fail", "outbox.full"),
        "losses": ("warn", "outbox.losses"),
    }


def test_dates_are_held_against_the_time_that_the_agent_knows(tmp_path: Path) -> None:
    """A clock of 2036 that nothing keeps right, and an agent that has the time from the hub."""
    in_2036_ms = NOW_MS + 3_650 * DAY_MS
    status = replace(a_status(os.getpid(), 10_000_000), clock="synced", clock_offset_ms=NOW_MS - in_2036_ms)
    place = Place(tmp_path / "agent.toml", None, wall_ms=lambda: in_2036_ms)
    assert place.best_ms() == in_2036_ms, "without an agent there is nothing better"
    assert place._replace(status=status).best_ms() == NOW_MS
    assert place._replace(status=replace(status, clock="estimated")).best_ms() == in_2036_ms


def test_every_certificate_file_is_looked_at(tmp_path: Path) -> None:
    assert certificate.ends_ms(tmp_path) is None
    file = tmp_path / certificate.CERTIFICATE
    file.parent.mkdir(parents=True)
    file.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    assert certificate.ends_ms(tmp_path) is None


def test_the_months_data() -> None:
    used = an_agent(month_bytes=55_000_000, budget_bytes=60_000_000)
    for data, expected in (
        ("plenty", ("ok", "budget.well")),
        ("saving", ("warn", "budget.saving")),
        ("spent", ("warn", "budget.spent")),
    ):
        assert told([budget.judge(replace(used, data=data))]) == {"budget": expected}
    assert told([budget.judge(replace(used, budget_bytes=None))]) == {"budget": ("ok", "budget.none")}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_condition_in_full_is_told_in_each_language(language: Language) -> None:
    shown = [
        OnScreen(screen="main", player="mpv", content="a.mp4", facts=Facts(reported=True, panel="on"), since_ms=1),
        OnScreen(screen="led", player="chromium"),
    ]
    certificate = CertificateStatus(
        device="k", not_before_ms=1, not_after_ms=NOW_MS, renew_from_ms=NOW_MS, last_error="no answer"
    )
    full = an_agent(
        certificate=certificate,
        config=7,
        is_open=False,
        month_bytes=5_000_000,
        budget_bytes=60_000_000,
        on_screen=shown,
    )
    moment = Moment(10_000_000, NOW_MS)
    for status in (full, replace(full, online=False, receipt_ms=None, on_screen=[], budget_bytes=None, is_open=None)):
        lines = [*condition.running(status, moment, language)]
        lines += condition.files(Held(lost={"refused": 2}), status, NOW_MS + DAY_MS, moment, language)
        lines += condition.files(Held(), None, None, moment, language)
        assert not [line for line in lines if "{" in line or "@" in line]
    bad = an_agent(connected=False, dropped=1, faults=["low_disk"], probes={"mpv": "gone"}, queue=Queue(full=True))
    problems = [problem.text(language) for problem in condition.problems(bad, 99)]
    assert len(problems) == 6


def test_times_are_told_as_people_say_them() -> None:
    day = 1_800_000_000_000  # 15:00 in Vietnam
    assert condition.time_text(day - 3_600_000, day) == "14:00:00"
    assert condition.time_text(day - 86_400_000, day) == "14/01/2027 15:00"
    spans = [condition.span_text(seconds, "vi") for seconds in (-1, 119, 120, 7_199, 7_200, 200_000)]
    assert spans == ["0 giây", "119 giây", "2 phút", "119 phút", "2 giờ", "2 ngày"]
