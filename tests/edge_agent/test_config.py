"""The agent's configuration: what it takes, and the one line that it says of everything it does not take."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_agent.config import DEFAULT_FILE, FILE_VARIABLE, AgentSettings, config_file, load
from edge_agent.errors import ConfigError
from edge_agent.probes.mpv import MpvSettings
from edge_agent.probes.system import SystemSettings

DEVICE = 'device = "bg-20-cma-k1"\n'
BROKERS = '[[mqtt.brokers]]\nhost = "hub.example.vn"\n'
SMALLEST = DEVICE + BROKERS


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The smallest file that can be used."""
    written = tmp_path / "agent.toml"
    written.write_text(SMALLEST)
    return written


def refusal(file: Path, text: str | None = None, **environ: str) -> str:
    """What is said of a configuration that cannot be used: one line."""
    if text is not None:
        file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(file, environ)
    said = str(caught.value)
    assert "\n" not in said
    assert said
    return said


def test_two_keys_are_enough(file: Path) -> None:
    settings = load(file, {})
    assert settings.device == "bg-20-cma-k1"
    (broker,) = settings.mqtt.brokers
    assert (broker.host, broker.port, broker.tls) == ("hub.example.vn", 8883, True)
    assert settings.probe_settings() == []
    assert settings.password() == ""


@pytest.mark.parametrize(
    ("text", "key", "expected"),
    [
        (BROKERS, "device", "missing"),
        (DEVICE, "mqtt", "missing"),
        (DEVICE + "[mqtt]\n", "brokers", "missing"),
        (DEVICE + "[mqtt]\nbrokers = []\n", "mqtt.brokers", "length >= 1"),
        (DEVICE + "[[mqtt.brokers]]\nport = 1883\n", "host", "missing"),
        (DEVICE + '[[mqtt.brokers]]\nhost = ""\n', "mqtt.brokers[0].host", "length >= 1"),
        (DEVICE + BROKERS + "port = 0\n", "mqtt.brokers[0].port", ">= 1"),
        (DEVICE + BROKERS + 'port = "usual"\n', "mqtt.brokers[0].port", "int"),
        (DEVICE + BROKERS + "tls = 7\n", "mqtt.brokers[0].tls", "bool"),
        ('device = "Cửa khẩu 1"\n' + BROKERS, "device", "regex"),
        ("device = 7\n" + BROKERS, "device", "str"),
        ('color = "red"\n' + SMALLEST, "color", "unknown field"),
        (SMALLEST + "[outbox]\nmax_byte = 7\n", "max_byte", "unknown field"),
        (SMALLEST + "[outbox]\nmax_bytes = 7\n", "outbox.max_bytes", ">= 1000000"),
        (SMALLEST + '[outbox]\nmax_bytes = "much"\n', "outbox.max_bytes", "int"),
        (SMALLEST + "[outbox]\ncommit_interval_s = inf\n", "outbox.commit_interval_s", ""),
        (SMALLEST + "[outbox]\ncommit_interval_s = nan\n", "outbox.commit_interval_s", ""),
        (SMALLEST + "[outbox]\ncommit_interval_s = 2\n", "outbox.commit_interval_s", "<= 1"),
        ("outbox = 7\n" + SMALLEST, "outbox", "object"),
        (SMALLEST + "[playlog]\nslice_s = 1\n", "playlog.slice_s", ">= 10"),
        ('state_folder = ""\n' + SMALLEST, "state_folder", "length >= 1"),
        ("probes = 7\n" + SMALLEST, "probes", "object"),
        (SMALLEST + "[probes]\nmpv = true\n", "probes.mpv", "table [probes.mpv]"),
        (SMALLEST + "[probes.radar]\n", "probes.radar", "there are chromium, mpv, screen, system"),
        (SMALLEST + "[probes.system]\ncolour = 1\n", "probes.system", "colour"),
        (SMALLEST + "[probes.system]\ninterval_s = 0\n", "probes.system.interval_s", ">="),
        (SMALLEST + "[probes.system]\ninterval_s = nan\n", "probes.system.interval_s", ""),
    ],
)
def test_what_is_wrong_is_one_line_with_file_key_and_what_is_expected(
    file: Path, text: str, key: str, expected: str
) -> None:
    said = refusal(file, text)
    assert said.startswith(f"{file}: ")
    assert key in said
    assert expected in said


def test_every_section_refuses_what_it_does_not_know(file: Path) -> None:
    for section in ("mqtt", "outbox", "playlog", "bridge", "probes.chromium", "probes.mpv", "probes.screen"):
        brokers = 'brokers = [{host = "h"}]\n' if section == "mqtt" else ""
        text = f"{DEVICE}{'' if brokers else BROKERS}[{section}]\n{brokers}no_such_key = 1\n"
        said = refusal(file, text)
        assert "no_such_key" in said
        assert section in said


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    said = refusal(tmp_path / "none.toml")
    assert said.startswith(f"{tmp_path / 'none.toml'}: No such file")
    assert "--config" in said
    assert FILE_VARIABLE in said
    assert "Is a directory" in refusal(tmp_path)


def test_a_file_that_is_not_toml(file: Path) -> None:
    assert f"{file}: not TOML: " in refusal(file, "device = \n")
    assert "line 2" in refusal(file, DEVICE + "what = = 7\n")
    file.write_bytes(b"\xff\xfe\x00d")
    assert f"{file}: not TOML: " in refusal(file)


def test_which_file_is_read() -> None:
    environ = {FILE_VARIABLE: "/somewhere/else.toml"}
    assert config_file(None, {}) == DEFAULT_FILE
    assert config_file(None, environ) == Path("/somewhere/else.toml")
    assert config_file(Path("given.toml"), environ) == Path("given.toml")


def test_the_environment_wins(file: Path) -> None:
    environ = {
        "TTDN_AGENT_DEVICE": "qn-22-mca-led1",
        "TTDN_AGENT_OUTBOX__MAX_BYTES": "2000000",
        "TTDN_AGENT_MQTT__BROKERS": '[{host = "a", tls = false}, {host = "b", port = 1883}]',
        "TTDN_AGENT_PROBES__MPV": "{}",
        "TTDN_AGENT_PROBES__SYSTEM__INTERVAL_S": "7",
        FILE_VARIABLE: "not a key",
        "PATH": "/usr/bin",
    }
    file.write_text(DEVICE + BROKERS + "[outbox]\nmax_bytes = 9000000\ncommit_interval_s = 0.5\n")
    settings = load(file, environ)
    assert settings.device == "qn-22-mca-led1"
    assert (settings.outbox.max_bytes, settings.outbox.commit_interval_s) == (2_000_000, 0.5)
    assert [(broker.host, broker.port, broker.tls) for broker in settings.mqtt.brokers] == [
        ("a", 8883, False),
        ("b", 1883, True),
    ]
    probes = dict(settings.probe_settings())
    assert isinstance(probes["mpv"], MpvSettings)
    assert isinstance(probes["system"], SystemSettings)
    assert probes["system"].interval_s == 7


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("TTDN_AGENT_DEVICE", "K 1", "regex"),
        ("TTDN_AGENT_COLOR", "red", "unknown field"),
        ("TTDN_AGENT_OUTBOX__MAX_BYTES", "much", "int"),
        ("TTDN_AGENT_OUTBOX__MAX_BYTE", "7000000", "unknown field"),
        ("TTDN_AGENT_DEVICE__NAME", "x", "not a table"),
        ("TTDN_AGENT_MQTT__BROKERS", "[{host = ", "not TOML"),
        ("TTDN_AGENT_MQTT__BROKERS", "hub.example.vn", "array"),
        ("TTDN_AGENT_MQTT__BROKERS", '[{host = "h", port = 0}]', ">= 1"),
        ("TTDN_AGENT_PROBES__RADAR", "{}", "no such probe"),
        ("TTDN_AGENT_PROBES__MPV", "on", "table"),
        ("TTDN_AGENT_PROBES__SYSTEM__INTERVAL_S", "0", ">="),
        ("TTDN_AGENT_OUTBOX__COMMIT_INTERVAL_S", "nan", ""),
    ],
)
def test_a_wrong_variable_is_named(file: Path, variable: str, value: str, expected: str) -> None:
    said = refusal(file, None, **{variable: value})
    assert said.startswith(f"{variable}: ")
    assert expected in said


def test_a_wrong_variable_with_another_that_is_right(file: Path) -> None:
    said = refusal(file, None, TTDN_AGENT_OUTBOX__COMMIT_INTERVAL_S="0", TTDN_AGENT_OUTBOX__MAX_BYTES="1")
    assert said.startswith("TTDN_AGENT_OUTBOX__MAX_BYTES: ")


def with_password_file(file: Path, password_file: Path) -> AgentSettings:
    file.write_text(f'{DEVICE}[mqtt]\npassword_file = "{password_file}"\n{BROKERS}')
    return load(file, {})


def test_the_password(file: Path, tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("  bí mật \n")
    assert with_password_file(file, password).password() == "bí mật"


def test_a_password_that_cannot_be_read(file: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^mqtt.password_file: .*/none: No such file or directory$"):
        with_password_file(file, tmp_path / "none").password()
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="UTF-8"):
        with_password_file(file, tmp_path / "bytes").password()


def test_the_system_probe_watches_the_disk_of_the_outbox_unless_told_otherwise(file: Path) -> None:
    file.write_text('state_folder = "/data/agent"\n' + SMALLEST + "[probes.system]\n")
    ((_, given),) = load(file, {}).probe_settings()
    assert isinstance(given, SystemSettings)
    assert given.state_folder == "/data/agent"


@pytest.mark.parametrize("value", ["[" * 5_000, "9" * 5_000])
def test_what_the_reader_of_toml_stumbles_over_is_not_toml(file: Path, value: str) -> None:
    assert f"{file}: not TOML: " in refusal(file, f"{SMALLEST}x = {value}\n")
    file.write_text(SMALLEST)
    assert "TTDN_AGENT_MQTT__BROKERS: not TOML: " in refusal(file, None, TTDN_AGENT_MQTT__BROKERS="[" * 5_000)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('state_folder = "a\\u0000b"\n' + SMALLEST, "state_folder"),
        (SMALLEST + 'ca_file = "a\\u0000b"\n', "mqtt.brokers[0].ca_file"),
        (SMALLEST + '[probes.mpv]\nsocket = "a\\u0000b"\n', "probes.mpv.socket"),
    ],
)
def test_a_name_that_no_file_can_have(file: Path, text: str, key: str) -> None:
    assert refusal(file, text).startswith(f"{file}: {key}: ")


def test_a_mark_that_windows_puts_first_is_no_part_of_anything(file: Path, tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("\ufeffsecret\n", encoding="utf-8")
    settings = with_password_file(file, password)
    file.write_text("\ufeff" + SMALLEST, encoding="utf-8")
    assert load(file, {}).device == settings.device
    assert settings.password() == "secret"
