"""`ttdn-agent enrol` and `ttdn-agent first-boot` as commands, against a hub that is small enough to misbehave."""

from __future__ import annotations

import errno
import json
import os
import pty
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from contract.enrol import BrokerAddress, EnrolRefused
from contract.enrol_code import EnrolCode
from edge_agent import durable
from edge_agent.config import load
from edge_agent.errors import AgentError, ConfigError
from edge_agent.identity import boot_file, network
from edge_agent.identity.boot_file import BootFile, Wifi
from edge_agent.identity.first_boot import RESULT, Attempt, FirstBoot, Means
from edge_agent.identity.media import Partition, find_file, unmounted
from edge_agent.identity.moment import clock_of
from edge_agent.identity.store import IdentityStore, read_identity
from edge_agent.identity.texts import Text
from edge_agent.way import Way, find_way
from simulator.ports import HOST
from tests.edge_agent.hand_hub import dead_port
from tests.edge_agent.identity.enrolled import enrolled, renewed
from tests.edge_agent.identity.hand_authority import DEVICE, HandEnrolment
from tests.patience import until

COMMAND = [sys.executable, "-m", "edge_agent.cli"]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "agent.toml"
    file.write_text(f"state_folder = '{tmp_path}/state'\nruntime_folder = '{tmp_path}/run'\n")
    (tmp_path / "state").mkdir()
    return file


def state(config: Path) -> Path:
    return config.parent / "state"


def run(config: Path, *arguments: str | Path, given: str = "") -> subprocess.CompletedProcess[str]:
    command = [*COMMAND, "--config", str(config), *map(str, arguments)]
    return subprocess.run(command, input=given, capture_output=True, text=True, timeout=120, check=False)


# -- enrol ------------------------------------------------------------------------------------------------------------


def test_from_nothing_to_a_device(config: Path, hub: HandEnrolment) -> None:
    code = hub.add(hub.authority.code()).text()
    said = run(config, "run")
    assert said.returncode == 2
    assert "ttdn-agent enrol URL CODE" in said.stderr
    assert "chưa đăng ký; tác tử không chạy" in run(config, "status").stdout
    assert run(config, "check-config").stdout == f"{config} dùng được: máy chưa đăng ký, theo dõi: chưa có gì\n"

    done = run(config, "enrol", hub.url, "-", given=code.lower() + "\n")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "Tạo khóa riêng trên máy này ..."
    assert lines[-2].startswith(f"Đã đăng ký: thiết bị {DEVICE} tại {hub.url}, chứng thư đến 20")
    assert code not in done.stdout

    again = run(config, "enrol", hub.url, code, "--lang", "en")
    assert (again.returncode, again.stdout.startswith("Already enrolled: device bg-20-cma-k1")) == (0, True)
    other = run(config, "enrol", f"{hub.url}/enrol#{hub.add(hub.authority.code(b'another1'), 'b').text()}")
    assert (other.returncode, "--again" in other.stderr) == (2, True)
    replaced = run(config, "enrol", hub.url, hub.authority.code(b"another1").text(), "--again", "--json")
    assert json.loads(replaced.stdout)["device"] == "b"
    assert run(config, "check-config", "--lang", "en").stdout == f"{config} is well: device b, probes: none\n"
    assert "device      b; the agent does not run" in run(config, "status", "--lang", "en").stdout


def test_it_asks_for_a_code(config: Path, hub: HandEnrolment) -> None:
    ours, its = pty.openpty()
    os.write(ours, hub.add(hub.authority.code()).text().encode() + b"\n")
    command = [*COMMAND, "--config", str(config), "enrol", hub.url]
    done = subprocess.run(command, stdin=its, capture_output=True, text=True, timeout=120, check=False)
    os.close(ours)
    os.close(its)
    assert (done.returncode, done.stderr) == (0, "Mã đăng ký: ")
    silent = run(config, "enrol", hub.url)
    assert (silent.returncode, "Chưa có mã đăng ký" in silent.stderr) == (2, True)


def test_what_goes_wrong_is_told_in_the_technicians_language(config: Path, hub: HandEnrolment) -> None:
    code = hub.authority.code().text()
    short = run(config, "enrol", hub.url, code[:-4])
    assert short.returncode == 2
    assert "mã có 36 ký tự, phải có 40" in short.stderr
    assert run(config, "enrol", "http://h", code).returncode == 2
    refused = run(config, "enrol", hub.url, code)
    assert refused.returncode == 1
    assert refused.stderr.startswith("ttdn-agent: Máy chủ không nhận mã")
    with dead_port() as port:
        closed = run(config, "enrol", f"{HOST}:{port}", code, "--json")
    assert closed.returncode == 1
    said = json.loads(closed.stdout)
    assert (said["error"], said["passes"], said["enrolled"]) == ("closed", True, False)


def test_a_first_enrolment_that_was_cut_is_finished_by_the_agent(config: Path, hub: HandEnrolment) -> None:
    hub.refusal = 429, EnrolRefused(error="too_many")
    code = hub.add(hub.authority.code()).text()
    assert run(config, "enrol", hub.url, code).returncode == 1
    waiting = run(config, "run")
    assert waiting.returncode == 1, "to be started again"
    assert "not enrolled yet: Too many attempts" in waiting.stderr
    hub.refusal = None
    hub.brokers = (BrokerAddress(HOST, 1),)
    process = subprocess.Popen([*COMMAND, "--config", str(config), "run"], stderr=subprocess.PIPE)
    try:
        until(lambda: json.loads(run(config, "status", "--json").stdout).get("status"), "it runs")
        status = json.loads(run(config, "status", "--json").stdout)["status"]
        assert status["device"] == status["certificate"]["device"] == DEVICE
        told = run(config, "status").stdout
        assert "Chứng thư   đến 20" in told
        assert "            tự gia hạn từ 20" in told
    finally:
        process.terminate()
        process.communicate(timeout=60)
    assert process.returncode == 0


# -- what the agent makes of it ---------------------------------------------------------------------------------------


def way(config: Path, more: str = "") -> Way:
    file = config.with_name("other.toml")
    file.write_text(config.read_text() + more)
    clock = clock_of(config.parent)
    return find_way(load(file, {}), clock.moment)


def test_brokers_of_the_enrolment_are_tried_in_turn_with_every_certificate(config: Path, hub: HandEnrolment) -> None:
    hub.brokers = (BrokerAddress("b1"), BrokerAddress("b2", 443, "websockets", "/m"))
    enrolled(state(config), hub)
    renewed(state(config))
    device, brokers, identity = way(config)
    assert (device, identity.name if identity else "") == (DEVICE, "2")
    assert [(b.host, b.port, b.transport, b.path, b.generation, b.username) for b in brokers] == [
        ("b1", 8883, "tcp", "/mqtt", "2", ""),
        ("b2", 443, "websockets", "/m", "2", ""),
        ("b1", 8883, "tcp", "/mqtt", "1", ""),
        ("b2", 443, "websockets", "/m", "1", ""),
    ]
    (state(config) / "identity" / "2" / "certificate.pem").write_text("no certificate")
    assert {broker.generation for broker in way(config).brokers} == {"1"}
    (state(config) / "identity" / "1" / "certificate.pem").write_text("no certificate")
    with pytest.raises(AgentError, match="--again"):
        way(config)


def test_what_the_configuration_says_wins(config: Path, hub: HandEnrolment) -> None:
    enrolled(state(config), hub)
    (broker,) = way(config, "[mqtt]\nbrokers = [{host = 'h', transport = 'websockets', port = 443}]\n").brokers
    assert (broker.host, broker.transport, broker.generation, broker.username) == ("h", "websockets", "1", "")
    (config.parent / "password").write_text("secret")
    by_password = f"[mqtt]\npassword_file = '{config.parent}/password'\nbrokers = [{{host = 'h', tls = false}}]\n"
    found = way(config, by_password)
    assert found.identity is None
    assert (found.brokers[0].username, found.brokers[0].password) == (DEVICE, "secret")
    with pytest.raises(ConfigError, match="the configuration says other, the certificate bg-20-cma-k1"):
        way(config, "device = 'other'\n")


def test_without_enrolment_or_brokers_there_is_no_way(config: Path) -> None:
    for more in ("", "device = 'a'\n"):
        with pytest.raises(ConfigError, match="ttdn-agent enrol URL CODE"):
            way(config, more)


# -- first boot -------------------------------------------------------------------------------------------------------


def write(folder: Path, url: str, code: EnrolCode, name: str = "ttdn.toml") -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_bytes(f'\ufeff# kiosk 1\r\nurl = "{url}"\r\ncode = {code.text()}\r\n'.encode())
    return file


def test_a_kiosk_without_a_keyboard(config: Path, hub: HandEnrolment, tmp_path: Path) -> None:
    code = hub.add(hub.authority.code())
    file = write(tmp_path / "stick", hub.url, code, "TTDN.toml.txt")
    arguments = ("first-boot", "--no-mount", "--look", tmp_path / "nowhere", "--look", tmp_path / "stick")
    done = run(config, *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert read_identity(state(config)).hub.device == DEVICE  # type: ignore[union-attr]
    assert code.text() not in file.read_text()
    assert "# kiosk 1" in file.read_text()
    raw = (tmp_path / "stick" / RESULT).read_bytes()
    result = raw.decode("utf-8-sig")
    assert b"\r\n" in raw
    assert "ĐĂNG KÝ XONG" in result
    assert f"Enrolled: device {DEVICE} at {hub.url}" in result
    asked = len(hub.asked)
    assert run(config, *arguments).returncode == 0
    assert len(hub.asked) == asked, "the next boot has nothing to do"

    write(tmp_path / "stick", hub.url, code, file.name)  # as if the power had failed before the code was gone
    assert run(config, *arguments).returncode == 0
    assert len(hub.asked) == asked
    assert code.text() not in file.read_text()


def test_no_file_is_no_trouble(config: Path, tmp_path: Path) -> None:
    done = run(config, "first-boot", "--no-mount", "--look", tmp_path)
    assert (done.returncode, "ttdn.toml" in done.stdout) == (0, True)


class Booting:
    """A first boot whose attempts and pauses are the test's."""

    def __init__(self, file: Path, folder: Path, *attempts: Attempt, wait_s: float = 100) -> None:
        self.file, self.attempts, self.slept = file, list(attempts), 0.0
        self.asked: list[BootFile] = []
        self.results: list[str] = []
        means = Means(self._enrol, lambda _: [Text("mạng", "network")], wait_s, print, self._pause, lambda: self.slept)
        self.well = FirstBoot(file, IdentityStore(folder), means).run()

    def _enrol(self, wanted: BootFile) -> Attempt:
        self.asked.append(wanted)
        return self.attempts.pop(0) if len(self.attempts) > 1 else self.attempts[0]

    def _pause(self, for_s: float) -> None:
        self.results.append(self.result())
        self.slept += for_s

    def result(self) -> str:
        file = self.file.parent / RESULT
        return file.read_text("utf-8-sig") if file.exists() else ""


AWAY = Attempt(enrolled=False, passes=True, error="no_route", text=Text("Không có mạng", "No network"))
DONE = Attempt(enrolled=True, device="d", url="https://h", not_after_ms=1_800_000_000_000)


def test_it_waits_for_the_network_and_says_so(hub: HandEnrolment, tmp_path: Path) -> None:
    file = write(tmp_path / "a", "https://h", hub.authority.code())
    booting = Booting(file, tmp_path, AWAY, AWAY, DONE)
    assert booting.well
    assert len(booting.asked) == 3
    assert all("đang tự thử lại" in result and "Không có mạng" in result for result in booting.results)
    assert "mạng\n" in booting.result()
    assert "until 2027-01-15" in booting.result()

    file = write(tmp_path / "b", "https://h", hub.authority.code())
    booting = Booting(file, tmp_path, AWAY)
    assert not booting.well
    assert booting.slept == 100
    enrolled(tmp_path, hub, b"87654321")
    assert Booting(file, tmp_path, AWAY).slept == 60, "an agent that has an identity waits to begin"
    assert "tắt, bật lại máy" in booting.result()
    assert boot_file.parse(boot_file.decode(file.read_bytes())).code, "the next boot tries again"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("url = 'https://h'\ncode = 'ABC'\n", "mã có 3 ký tự"),
        ("code = 'ABC'\n", "Thiếu địa chỉ máy chủ"),
        ("url = 'http://h'\ncode = 'ABC'\n", "'http://h' không đúng"),
        ("url = 'https://h'\ncode = 'ABC\n", "Dòng 2 viết sai"),
        ("#" * 70_000, "quá lớn"),
    ],
)
def test_a_wrong_file_is_told_of_beside_it(tmp_path: Path, text: str, expected: str) -> None:
    (tmp_path / "ttdn.toml").write_text(text)
    booting = Booting(tmp_path / "ttdn.toml", tmp_path, DONE)
    assert not booting.well
    assert booting.asked == []
    assert expected in booting.result()
    assert "TTDN: ttdn.toml IS WRONG" in booting.result()
    assert (tmp_path / "ttdn.toml").read_text() == text


def test_a_stick_that_cannot_be_written_enrols_too(
    hub: HandEnrolment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    file = write(tmp_path / "a", "https://h", hub.authority.code())
    monkeypatch.setattr(durable, "replace_file", refuse)
    assert Booting(file, tmp_path, AWAY, DONE).well
    said = capsys.readouterr().out
    assert "hãy tự xóa" in said
    assert "Read-only file system" in said


def test_a_refused_code_is_not_tried_for_ever(hub: HandEnrolment, tmp_path: Path) -> None:
    file = write(tmp_path / "a", "https://h", hub.authority.code())
    booting = Booting(file, tmp_path, Attempt(enrolled=False, text=Text("mã sai", "wrong code")))
    assert (booting.well, len(booting.asked)) == (False, 1)
    assert "mã sai" in booting.result()


def test_where_it_is_looked_for(tmp_path: Path) -> None:
    for folder, name in (("a", "other.toml"), ("b", "Ttdn.Toml"), ("c", "ttdn.toml")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).touch()
    folders = [tmp_path / name for name in ("missing", "a", "b", "c")]
    assert find_file(folders) == tmp_path / "b" / "Ttdn.Toml"
    assert find_file(folders[:2]) is None


LSBLK = b"""{"blockdevices": [
 {"path":"/dev/sda", "fstype":null, "mountpoint":null, "hotplug":true, "rm":true},
 {"path":"/dev/sda1", "fstype":"vfat", "mountpoint":null, "hotplug":true, "rm":true},
 {"path":"/dev/sdb1", "fstype":"exfat", "mountpoint":"/media/tt/USB", "hotplug":true, "rm":false},
 {"path":"/dev/sdc1", "fstype":"ntfs", "mountpoint":null, "hotplug":true, "rm":false},
 {"path":"/dev/sdd1", "fstype":"ext4", "mountpoint":null, "hotplug":true, "rm":false},
 {"path":"/dev/nvme0n1p1", "fstype":"vfat", "mountpoint":null, "hotplug":false, "rm":false}
]}"""


def test_only_removable_partitions_are_mounted() -> None:
    assert unmounted(LSBLK) == [Partition("/dev/sda1", "vfat"), Partition("/dev/sdd1", "ext4")]
    assert unmounted(b"no json") == []


# -- network ----------------------------------------------------------------------------------------------------------

WANTED = BootFile(apn="v-internet", apn_user="mms", apn_password="m;ms", wifi=Wifi(" Cửa khẩu", "pass\nword"))


def test_connections_of_network_manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "nmcli").write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n')
    (tmp_path / "nmcli").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    folder = tmp_path / "connections"
    said = network.set_up(WANTED, folder)
    assert [text.en for text in said] == ["The connection ttdn-apn was made.", "The connection ttdn-wifi was made."]
    gsm, wifi = (folder / f"ttdn-{name}.nmconnection" for name in ("apn", "wifi"))
    assert stat.S_IMODE(gsm.stat().st_mode) == 0o600
    assert "apn=v-internet\nusername=mms\npassword=m\\;ms\n" in gsm.read_text()
    assert "ssid=\\sCửa khẩu\n" in wifi.read_text()
    assert "psk=password\n" in wifi.read_text()
    asked = (tmp_path / "asked").read_text()
    assert "m;ms" not in asked
    assert asked.count("connection reload") == 2
    assert network.set_up(WANTED, folder) == [], "nothing is made twice"
    (tmp_path / "nmcli").write_text("#!/bin/sh\nexit 8\n")
    (text,) = network.set_up(BootFile(apn="other"), folder)
    assert "could not be made" in text.en


def test_without_network_manager_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (text,) = network.set_up(WANTED, tmp_path)
    assert "no NetworkManager" in text.en
    assert network.set_up(BootFile(), tmp_path) == []
