"""Settings: file and environment, secrets that stay secret, and errors that name the key."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from hub.config import HubSettings, config_file, load_settings
from hub.config.loading import DEFAULT_FILE
from hub.config.sample import sample_toml
from hub.errors import ConfigError

ROOT = Path(__file__).parents[3]
DSN = "postgresql://hub:s3cret@db.example/ttdn"


@pytest.fixture(autouse=True)
def no_settings_of_another_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in [name for name in os.environ if name.startswith("TTDN_HUB_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr("hub.config.loading.DEFAULT_FILE", Path("/nonexistent/hub.toml"))


def written(folder: Path, text: str) -> Path:
    file = folder / "hub.toml"
    file.write_text(text, encoding="utf-8")
    return file


def problem(file: Path | None) -> str:
    with pytest.raises(ConfigError) as caught:
        load_settings(file)
    return str(caught.value)


def test_the_sample_is_current_and_loads() -> None:
    file = ROOT / "deploy" / "hub" / "hub.sample.toml"
    assert file.read_text(encoding="utf-8") == sample_toml(), "run: ttdn-hub config sample > deploy/hub/hub.sample.toml"
    settings = load_settings(file)
    defaults = HubSettings.model_validate({"database": {"dsn": "postgresql:///ttdn"}})
    own = {"mqtt": {"worker_name"}}
    assert settings.model_dump(exclude=own) == defaults.model_dump(exclude=own)


def test_every_setting_is_described_and_in_the_sample() -> None:
    sample = sample_toml()
    for name, section in HubSettings.model_fields.items():
        model = section.annotation
        assert model is not None
        for field, info in model.model_fields.items():
            assert info.description, f"{name}.{field}"
            assert f"\n{field} = " in sample or f"\n# {field} = " in sample or f"[[{name}.{field}]]" in sample


def test_the_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = written(tmp_path, f"[database]\ndsn = '{DSN}'\n[ingest]\nwriters = 3\nlinger_ms = 7\n")
    monkeypatch.setenv("TTDN_HUB_INGEST__WRITERS", "5")
    monkeypatch.setenv("TTDN_HUB_LOG__LEVEL", "")
    settings = load_settings(file)
    assert (settings.ingest.writers, settings.ingest.linger_ms, settings.log.level) == (5, 7, "info")


def test_a_list_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TTDN_HUB_DATABASE__DSN", DSN)
    monkeypatch.setenv(
        "TTDN_HUB_MQTT__BROKERS", '[{"host": "b1.example"}, {"host": "::1", "port": 1883, "tls": false}]'
    )
    assert [broker.name for broker in load_settings().mqtt.brokers] == ["b1.example:8883", "[::1]:1883"]


def test_which_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = tmp_path / "named.toml"
    assert config_file(named, {"TTDN_HUB_CONFIG": "other"}) == named
    assert config_file(None, {"TTDN_HUB_CONFIG": "other"}) == Path("other")
    assert config_file(None, {}) is None
    named.touch()
    monkeypatch.setattr("hub.config.loading.DEFAULT_FILE", named)
    assert config_file(None, {}) == named
    assert str(DEFAULT_FILE) == "/etc/ttdn-hub/hub.toml"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "[ingest]\nwriters = 'two'",
            ["ingest.writers ({file}): Input should be a valid integer", "Threads a process"],
        ),
        ("[ingest]\nwriters = 0", ["ingest.writers ({file}): Input should be greater than or equal to 1"]),
        ("[ingest]\nwriterz = 2", ["ingest.writerz ({file}): there is no such setting; did you mean writers?"]),
        ("[ingets]\nwriters = 2", ["ingets ({file}): there is no such setting; did you mean ingest?"]),
        ("[api]\nhost = ''", ["api.host", "at least 1 character"]),
        ("[api]\nhost = '0.0.0.0'\nopen_on_loopback = true", ["api", "cannot hold with host 0.0.0.0", "127.0.0.1"]),
        ("[api]\nopen_on_loopback = true\nproxies = ['127.0.0.1']", ["api", "everybody who comes through proxies"]),
        ("[api]\nproxies = ['proxy.example']", ["api.proxies", "does not appear to be an IPv4 or IPv6 network"]),
        ("[api]\nnames = ['https://hub.example/']", ["api.names", "is no host name", "without scheme and port"]),
        ("[api]\nkey_file = 'k'", ["cert_file and key_file are needed together"]),
        ("[api]\nsession_idle_s = 1", ["api.session_idle_s", "greater than or equal to 300"]),
        ("[log]\nlevel = 'loud'", ["log.level", "'debug', 'info', 'warning' or 'error'"]),
        ("[mqtt]\nworker_name = 'a/b'", ["mqtt.worker_name", "unique among workers"]),
        ("[mqtt]\nbrokers = []", ["mqtt.brokers", "at least 1 item"]),
        ("[[mqtt.brokers]]\nport = 1", ["mqtt.brokers[0].host ({file}): is missing. Expected: Name or address."]),
        ("[[mqtt.brokers]]\nhost = 'b'\ntls = false", ["mqtt.brokers[0]", "tls is off for b", "loopback"]),
        ("[[mqtt.brokers]]\nhost = 'b'\nkey_file = 'k'", ["cert_file and key_file are needed together"]),
        ("[[mqtt.brokers]]\nhost = 'b'\n[[mqtt.brokers]]\nhost = 'b'", ["the broker b:8883 is listed twice"]),
        ("[mqtt]\npassword = 'p'\npassword_file = 'f'", ["password and password_file are both set"]),
        ("[database]\ndsn = 'x'\ndsn_file = 'y'", ["no connection string; expected postgresql://"]),
        (f"[database]\ndsn = '{DSN}'\ndsn_file = 'y'", ["exactly one of dsn and dsn_file"]),
        ("[database]", ["exactly one of dsn and dsn_file"]),
        ("[log]", ["database ({file}): is missing; write [database]", "TTDN_HUB_DATABASE__DSN"]),
        ("[log\n", ["{file}: not TOML", "at line 3"]),
    ],
)
def test_what_is_wrong_in_a_file(tmp_path: Path, text: str, told: list[str]) -> None:
    file = written(tmp_path, text if "database" in text or text == "[log]" else f"[database]\ndsn = '{DSN}'\n{text}")
    said = problem(file)
    for words in told:
        assert words.format(file=file) in said
    assert "s3cret" not in said
    assert len(said.splitlines()) == 1


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    said = problem(written(tmp_path, "[ingest]\nwriters = 0\nlinger_ms = -1\n[api]\nport = 70000"))
    assert [line.split(" ")[0] for line in said.splitlines()] == [
        "database",
        "ingest.linger_ms",
        "ingest.writers",
        "api.port",
    ]


def test_what_is_wrong_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TTDN_HUB_DATABASE__DSN", DSN)
    monkeypatch.setenv("TTDN_HUB_INGEST__WRITERS", "many")
    assert problem(None).startswith("ingest.writers (environment TTDN_HUB_INGEST__WRITERS): ")
    monkeypatch.setenv("TTDN_HUB_INGEST__WRITERS", "2")
    monkeypatch.setenv("TTDN_HUB_MQTT__BROKERS", "[oops")
    assert "written as JSON" in problem(None)
    monkeypatch.setenv("TTDN_HUB_MQTT__BROKERS", "")
    monkeypatch.setenv("TTDN_HUB_DATABSE__DSN", DSN)
    assert problem(None).startswith("environment TTDN_HUB_DATABSE__DSN: no such section")


def test_files_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "cannot be read: No such file" in problem(tmp_path / "missing.toml")
    monkeypatch.setenv("TTDN_HUB_CONFIG", str(tmp_path / "named.toml"))
    assert "named.toml: cannot be read" in problem(None)
    latin = tmp_path / "latin.toml"
    latin.write_bytes("# Lạng".encode("utf-16"))
    assert "not UTF-8" in problem(latin)


def test_secrets_in_files_of_their_own(tmp_path: Path) -> None:
    dsn, password = tmp_path / "dsn", tmp_path / "password"
    file = written(tmp_path, f"[database]\ndsn_file = '{dsn}'\n[mqtt]\npassword_file = '{password}'\n")
    settings = load_settings(file)
    with pytest.raises(ConfigError, match=r"database.dsn_file: .* cannot be read: No such file"):
        settings.database.conninfo()
    dsn.write_text("s3cret\n")
    with pytest.raises(ConfigError, match=r"the first line of .* is no connection string") as caught:
        settings.database.conninfo()
    assert "s3cret" not in str(caught.value)
    password.write_text("\n")
    with pytest.raises(ConfigError, match=r"mqtt.password_file: the first line of .* is empty"):
        settings.mqtt.secret()
    dsn.write_text(f"{DSN}\n")
    password.write_text("pässword\n")
    assert (settings.database.conninfo(), settings.mqtt.secret()) == (DSN, "pässword")


def test_secrets_are_not_printed() -> None:
    given = {"database": {"dsn": DSN}, "mqtt": {"password": "s3cret"}}
    settings = HubSettings.model_validate(given)
    assert "s3cret" not in f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"
    assert settings.mqtt.secret() == "s3cret"


def test_certificates_that_cannot_be_used(tmp_path: Path) -> None:
    for text, told in (("", "No such file"), ("no certificate", "mqtt.brokers b:8883")):
        ca = tmp_path / "ca.pem"
        if text:
            ca.write_text(text)
        given = {"database": {"dsn": DSN}, "mqtt": {"brokers": [{"host": "b", "ca_file": str(ca)}]}}
        with pytest.raises(ConfigError, match=told):
            HubSettings.model_validate(given).mqtt.brokers[0].ssl_context()


def test_a_certificate_of_the_api_that_cannot_be_used(tmp_path: Path) -> None:
    given = {"database": {"dsn": DSN}, "api": {"cert_file": str(tmp_path / "c"), "key_file": str(tmp_path / "k")}}
    with pytest.raises(ConfigError, match=r"api.cert_file, api.key_file: .* No such file"):
        HubSettings.model_validate(given).api.check_tls()
    HubSettings.model_validate({"database": {"dsn": DSN}}).api.check_tls()


@pytest.mark.parametrize(
    ("host", "is_local"), [("127.0.0.1", True), ("localhost", True), ("::1", True), ("0.0.0.0", False), ("hub", False)]
)
def test_what_may_be_open(host: str, is_local: bool) -> None:
    given = {"database": {"dsn": DSN}, "api": {"host": host, "open_on_loopback": True}}
    if is_local:
        assert HubSettings.model_validate(given).api.is_local
    else:
        with pytest.raises(ValidationError):
            HubSettings.model_validate(given)


def test_lists_of_the_api_in_the_sample_load_when_uncommented(tmp_path: Path) -> None:
    sample = sample_toml().replace("# names = ", "names = ").replace("# proxies = ", "proxies = ")
    settings = load_settings(written(tmp_path, sample))
    assert (settings.api.names, settings.api.proxies) == (("ttdn.example.vn",), ("127.0.0.1",))


def test_nothing_changes_after_loading() -> None:
    settings = HubSettings.model_validate({"database": {"dsn": DSN}})
    with pytest.raises(ValidationError):
        settings.ingest.writers = 9


def test_a_user_who_may_not_read_the_usual_file_is_told_of_sudo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_file: Path) -> bool:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "exists", refuse)
    with pytest.raises(ConfigError, match="use sudo"):
        config_file(None, {})
