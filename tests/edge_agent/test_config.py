"""Configuration: every wrong thing gives one line with the place, the key, what is wrong and what is expected."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from edge_agent.config import AgentSettings, config_file, load
from edge_agent.errors import ConfigError
from edge_agent.probes.system import SystemSettings

SECTIONS = (
    "",
    "mqtt",
    "outbox",
    "playlog",
    "bridge",
    "probes.chromium",
    "probes.mpv",
    "probes.screen",
    "probes.system",
)
WELL = 'device = "bg-20-cma-k1"\n[mqtt]\nbrokers = [{host = "hub.example.vn"}]\n'


def read(folder: Path, text: str, environ: Mapping[str, str] | None = None) -> AgentSettings:
    file = folder / "agent.toml"
    file.write_text(text, encoding="utf-8")
    return load(file, environ or {})


def test_little_is_enough(tmp_path: Path) -> None:
    settings = read(tmp_path, WELL)
    (broker,) = settings.mqtt.brokers
    assert (broker.host, broker.port, broker.tls) == ("hub.example.vn", 8883, True)
    assert settings.probe_settings() == []
    assert settings.password() == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("device = 3\n", "device: Expected `str`, got `int`"),
        ('device = "Cửa khẩu"\n', "device: Expected `str` matching regex"),
        ("device = 2026-01-01\n", "device: Expected `str`, got `date`"),
        ('device = "a"\n[mqtt]\nbrokers = [{}]\n', "mqtt.brokers[0]: Object missing required field `host`"),
        (
            'device = "a"\n[mqtt]\nbrokers = [{host = "h", port = 70000}]\n',
            "mqtt.brokers[0].port: Expected `int` <= 65535",
        ),
        (WELL + "pasword_file = 'x'\n", "mqtt: Object contains unknown field `pasword_file`"),
        (WELL + "[outbox]\nmax_bytes = 1\n", "outbox.max_bytes: Expected `int` >= 1000000"),
        (WELL + "[outbox]\ncommit_interval_s = 2\n", "outbox.commit_interval_s: Expected `float` <= 1.0"),
        (WELL + "[outbox]\ncommit_interval_s = nan\n", "outbox.commit_interval_s: "),
        (WELL + "[bridge]\nenabled = 'maybe'\n", "bridge.enabled: Expected `bool`, got `str`"),
        (WELL + "[bridge]\nrequest_s = inf\n", "bridge.request_s: "),
        (WELL + "[probes]\nsystem = true\n", "probes.system: expected a table [probes.system], got True"),
        (WELL + "[probes.radar]\n", "probes.radar: there is no such probe; there are chromium, mpv, screen, system"),
        (WELL + "[probes.mpv]\nsocket = 'x'\n", "probes.mpv: Object contains unknown field `socket`"),
        (WELL + "[probes.mpv]\ninterval_s = inf\n", "probes.mpv.interval_s: "),
        (WELL + "[outbox]\nmax_bytes = 'much'\n", "outbox.max_bytes: Expected `int`, got `str`"),
        (WELL + "[playlog]\nslice_s = 1\n", "playlog.slice_s: Expected `int` >= 10"),
        (WELL + "[probes.system]\ninterval_s = 0\n", "probes.system.interval_s: Expected `float` >= 5.0"),
        (WELL + "[probes.system]\ninterval_s = nan\n", "probes.system.interval_s: "),
        ("state_folder = ''\n" + WELL, "state_folder: Expected `str` of length >= 1"),
        ("outbox = 7\n" + WELL, "outbox: Expected `object`, got `int`"),
        ("probes = 7\n" + WELL, "probes: Expected `object`, got `int`"),
        ("state_folder = 'a\\u0000'\n".replace("'", '"') + WELL, "state_folder: 'a\\x00' holds a NUL character"),
        (WELL + '[probes.mpv]\nsocket_path = "a\\u0000"\n', "probes.mpv.socket_path: 'a\\x00' holds a NUL character"),
        (
            'device = "a"\nmqtt.brokers = [{host = "h"}, {host = "h", ca_file = "a\\u0000"}]\n',
            "mqtt.brokers[1].ca_file: 'a\\x00' holds a NUL character",
        ),
        (WELL + f"port = {'9' * 5_000}\n", "not TOML: "),
        (WELL + f"port = {'[' * 5_000}\n", "not TOML: "),
        ("device = \n", "not TOML: Invalid value (at line 1, column 10)"),
        ("device = 'a'\ndevice = 'b'\n", "not TOML: Cannot overwrite a value"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(ConfigError) as raised:
        read(tmp_path, text)
    assert str(raised.value).startswith(f"{tmp_path / 'agent.toml'}: {expected}")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("section", SECTIONS)
def test_no_section_takes_what_it_does_not_know(tmp_path: Path, section: str) -> None:
    table = f"[{section}]\n" if section not in {"", "mqtt"} else ""
    text = f"no_such_key = 1\n{WELL}" if not section else f"{WELL}{table}no_such_key = 1\n"
    place = section or "the top level"
    with pytest.raises(ConfigError, match=f": {place}: Object contains unknown field `no_such_key`$"):
        read(tmp_path, text)


@pytest.mark.parametrize("data", [b"\xff\xfe", b"device = '\xff'"])
def test_a_file_that_is_no_text(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "agent.toml").write_bytes(data)
    with pytest.raises(ConfigError, match="not TOML"):
        load(tmp_path / "agent.toml", {})


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match="No such file or directory; name another file with --config or TTDN_AGENT_CONFIG"
    ):
        load(tmp_path / "agent.toml", {})
    with pytest.raises(ConfigError, match="Is a directory"):
        load(tmp_path, {})


# -- environment -------------------------------------------------------------------------------------------------------


def test_the_environment_wins(tmp_path: Path) -> None:
    settings = read(
        tmp_path,
        WELL + "[outbox]\nmax_bytes = 2000000\n",
        {
            "TTDN_AGENT_DEVICE": "other",
            "TTDN_AGENT_OUTBOX__MAX_BYTES": "3000000",
            "TTDN_AGENT_OUTBOX__COMMIT_INTERVAL_S": "0.5",
            "TTDN_AGENT_BRIDGE__ENABLED": "true",
            "TTDN_AGENT_MQTT__BROKERS": '[{host = "a", port = 1883, tls = false}, {host = "b"}]',
            "TTDN_AGENT_PROBES__SYSTEM": "{}",
            "TTDN_AGENT_PROBES__MPV__SOCKET_PATH": "/run/other.sock",
            "TTDN_AGENT_CONFIG": "/nowhere",
            "TTDN_HUB_DEVICE": "not ours",
        },
    )
    assert settings.device == "other"
    assert (settings.outbox.max_bytes, settings.outbox.commit_interval_s) == (3_000_000, 0.5)
    assert settings.bridge.enabled is True
    assert [(broker.host, broker.port, broker.tls) for broker in settings.mqtt.brokers] == [
        ("a", 1883, False),
        ("b", 8883, True),
    ]
    probes = dict(settings.probe_settings())
    assert set(probes) == {"system", "mpv"}
    assert probes["mpv"].socket_path == "/run/other.sock"  # type: ignore[attr-defined]
    assert probes["system"].state_folder == settings.state_folder  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("TTDN_AGENT_OUTBOX__MAX_BYTES", "much", "outbox.max_bytes: Expected `int`, got `str`"),
        ("TTDN_AGENT_MQTT__BROKERS", '[{host = "a", port = 0}]', "mqtt.brokers[0].port: Expected `int` >= 1"),
        ("TTDN_AGENT_MQTT__BROKERS", "[{host", "not TOML: "),
        ("TTDN_AGENT_MQTT__BROKERS", "[" * 5_000, "not TOML: "),
        ("TTDN_AGENT_MQTT__BROKERS", "hub.example.vn", "mqtt.brokers: Expected `array`, got `str`"),
        ("TTDN_AGENT_DEVICE", "K 1", "device: Expected `str` matching regex"),
        ("TTDN_AGENT_PROBES__RADAR", "{}", "probes.radar: there is no such probe"),
        ("TTDN_AGENT_PROBES__SYSTEM__INTERVAL_S", "0", "probes.system.interval_s: Expected `float` >= 5.0"),
        ("TTDN_AGENT_OUTBOX__COMMIT_INTERVAL_S", "nan", "outbox.commit_interval_s: "),
        ("TTDN_AGENT_NONSENSE", "1", "the top level: Object contains unknown field `nonsense`"),
        ("TTDN_AGENT_MQTT__PASSWORD", "1", "mqtt: Object contains unknown field `password`"),
        ("TTDN_AGENT_PROBES__SYSTEM", "on", "probes.system: expected a table [probes.system], got 'on'"),
        ("TTDN_AGENT_DEVICE__NAME", "x", "device is not a table that holds keys"),
    ],
)
def test_a_variable_that_is_wrong_is_named(tmp_path: Path, variable: str, value: str, expected: str) -> None:
    with pytest.raises(ConfigError) as raised:
        read(tmp_path, WELL, {variable: value})
    assert str(raised.value).startswith(f"{variable}: {expected}")


def test_only_the_wrong_one_of_two_variables_is_named(tmp_path: Path) -> None:
    environ = {"TTDN_AGENT_OUTBOX__COMMIT_INTERVAL_S": "0", "TTDN_AGENT_OUTBOX__MAX_BYTES": "1"}
    with pytest.raises(ConfigError, match=r"^TTDN_AGENT_OUTBOX__MAX_BYTES: outbox\.max_bytes: "):
        read(tmp_path, WELL, environ)


def test_which_file_is_read() -> None:
    assert config_file(None, {}) == Path("/etc/ttdn-agent/agent.toml")
    assert config_file(None, {"TTDN_AGENT_CONFIG": "/a"}) == Path("/a")
    assert config_file(Path("/b"), {"TTDN_AGENT_CONFIG": "/a"}) == Path("/b")


# -- password ----------------------------------------------------------------------------------------------------------


def test_the_password_is_the_files_text(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    settings = read(tmp_path, WELL + f"password_file = '{secret}'\n")
    with pytest.raises(ConfigError, match=r"mqtt\.password_file: .*/password: No such file"):
        settings.password()
    secret.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="not a text in UTF-8"):
        settings.password()
    secret.write_text("bí mật\n")
    assert settings.password() == "bí mật"


def test_a_mark_that_windows_puts_first_is_no_part_of_anything(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("\ufeffbí mật\n", encoding="utf-8")
    settings = read(tmp_path, f"\ufeff{WELL}password_file = '{secret}'\n")
    assert settings.password() == "bí mật"


def test_the_system_probe_watches_the_disk_of_the_outbox_unless_told_otherwise(tmp_path: Path) -> None:
    text = f"state_folder = '/data'\n{WELL}[probes.system]\n"
    for more, expected in (("", "/data"), ("state_folder = '/other'\n", "/other")):
        ((_, given),) = read(tmp_path, text + more).probe_settings()
        assert isinstance(given, SystemSettings)
        assert given.state_folder == expected
