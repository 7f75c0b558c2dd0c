"""What ModemManager says of a modem, as `mmcli -J` prints it.

The names are those of ModemManager 1.20 (Debian 12), read out of the program itself; no modem was there to ask.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edge_agent.doctor.checks import modem
from edge_agent.doctor.place import Place
from edge_agent.doctor.programs import Ran
from edge_agent.identity import network
from edge_agent.identity.boot_file import BootFile
from tests.edge_agent.doctor.telling import told

PATH = "/org/freedesktop/ModemManager1/Modem/0"
BEARER = "/org/freedesktop/ModemManager1/Bearer/0"


def shown(**generic: Any) -> dict[str, Any]:
    return {
        "modem": {
            "3gpp": {
                "imei": "490154203237518",
                "operator-code": "45204",
                "operator-name": "Viettel",
                "packet-service-state": "attached",
                "registration-state": generic.pop("registration", "home"),
            },
            "dbus-path": PATH,
            "generic": {
                "access-technologies": ["lte"],
                "bearers": [BEARER],
                "own-numbers": ["+84900000000"],
                "signal-quality": {"recent": "yes", "value": generic.pop("signal", "61")},
                "sim": "/org/freedesktop/ModemManager1/SIM/0",
                "state": "connected",
                "state-failed-reason": "--",
                "unlock-required": "none",
                **generic,
            },
        }
    }


def bearer(connected: str = "yes", apn: str = "v-internet") -> dict[str, Any]:
    return {"bearer": {"properties": {"apn": apn, "password": "--"}, "status": {"connected": connected}}}


def place(tmp_path: Path, answers: dict[str, Any]) -> Place:
    def run(command: Sequence[str], timeout_s: float) -> Ran | None:
        answer = answers.get(" ".join(command[1:-1]))
        return None if answer is None else Ran(0, json.dumps(answer), "")

    return Place(tmp_path / "agent.toml", None, root=tmp_path, run=run)


def looked(tmp_path: Path, told_of_modem: dict[str, Any], told_of_bearer: dict[str, Any]) -> dict[str, tuple[str, str]]:
    answers = {"-L": {"modem-list": [PATH]}, f"-m {PATH}": told_of_modem, f"-b {BEARER}": told_of_bearer}
    findings = list(modem.check(place(tmp_path, answers)))
    said = " ".join(str(finding.facts) for finding in findings)
    assert "490154203237518" not in said, "numbers of equipment and subscriber stay where they are"
    assert "84900000000" not in said
    return told(findings)


def test_a_modem_that_is_well(tmp_path: Path) -> None:
    assert looked(tmp_path, shown(), bearer()) == {
        "modem.sim": ("ok", "modem.sim_well"),
        "modem.signal": ("ok", "modem.signal_well"),
        "modem.apn": ("ok", "modem.apn_well"),
    }


def test_what_can_be_wrong_with_a_modem(tmp_path: Path) -> None:
    for generic, id_, expected in (
        ({"state": "failed", "state-failed-reason": "sim-missing", "sim": "--"}, "modem.sim", "modem.no_sim"),
        ({"state": "locked", "unlock-required": "sim-pin"}, "modem.sim", "modem.locked"),
        ({"state": "failed", "state-failed-reason": "unknown-capabilities"}, "modem.sim", "modem.failed"),
        ({"registration": "denied"}, "modem.sim", "modem.denied"),
        ({"state": "disabled"}, "modem.signal", "modem.disabled"),
        ({"registration": "searching", "signal": "0"}, "modem.signal", "modem.no_signal"),
    ):
        assert looked(tmp_path, shown(**generic), bearer())[id_] == ("fail", expected)
    assert looked(tmp_path, shown(signal="12"), bearer())["modem.signal"] == ("warn", "modem.weak")
    assert looked(tmp_path, shown(), bearer("no"))["modem.apn"] == ("fail", "modem.no_data")
    assert looked(tmp_path, {"odd": 1}, bearer()) == {"modem.sim": ("fail", "modem.silent")}
    other = modem.judge(modem.Modem(state="connected", sim=True, registration="home", signal_percent=60),
                        [modem.Bearer(connected=True, apn="m3-world")], "m-wap")  # fmt: skip
    assert told(other)["modem.apn"] == ("warn", "modem.other_apn")


def test_the_apn_is_held_against_the_one_of_ttdn_toml(tmp_path: Path) -> None:
    assert modem.APN_CONNECTION in network.connections(BootFile(apn="m-wap"))
    answers = {"-L": {"modem-list": [PATH]}, f"-m {PATH}": shown(), f"-b {BEARER}": bearer()}
    well = place(tmp_path, answers)

    def run(command: Sequence[str], timeout_s: float) -> Ran | None:
        if command[0] == "nmcli":
            assert command[1:] == ["-g", "gsm.apn", "connection", "show", "ttdn-apn"]
            return Ran(0, "m-wap\n", "")
        return well.run(command, timeout_s)

    assert told(modem.check(well._replace(run=run)))["modem.apn"] == ("warn", "modem.other_apn")


def test_without_a_modem_nothing_is_said(tmp_path: Path) -> None:
    assert told(modem.check(place(tmp_path, {}))) == {}
    assert told(modem.check(place(tmp_path, {"-L": {"modem-list": []}}))) == {}
    assert modem.parse_list("no JSON") == []


def test_a_stick_that_nobody_manages_is_told(tmp_path: Path) -> None:
    driver = tmp_path / "sys/bus/usb/drivers/qmi_wwan"
    driver.mkdir(parents=True)
    device = tmp_path / "sys/class/net/wwan0/device"
    device.mkdir(parents=True)
    (device / "driver").symlink_to(driver)
    assert told(modem.check(place(tmp_path, {}))) == {"modem.sim": ("warn", "modem.unmanaged")}
