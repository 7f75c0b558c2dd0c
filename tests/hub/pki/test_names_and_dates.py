"""What is decided without any file: names of devices, when certificates and lists are renewed, settings."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from pydantic import ValidationError

from contract.enrol_code import parse_enrol_code
from contract.ids import is_device_id
from hub.api.enrolment import broker_addresses
from hub.api.limits import Limits, TooMany
from hub.config import ApiSettings, PkiSettings
from hub.errors import ConfigError
from hub.pki import publication, revocation
from hub.pki.authority import hosts_of, issue_device, issue_server, new_authority, new_key, renewal_due
from hub.pki.broker import password_line
from hub.pki.codes import new_code
from hub.pki.folder import PkiFolder
from hub.registry.device_names import RESERVED, may_be_device, next_device
from hub.strings import KINDS
from tests.hub.pki.making import NAME, NOW, made_folder, pki_settings

NOBODY = 65_534


def test_a_new_device_gets_a_name_that_was_never_given() -> None:
    known = ["bg-20-cma-k1", "bg-20-cma-k7", "bg-20-cma-l9", "bg-20-cma-k99x", "xbg-20-cma-k50"]
    assert next_device("BG-20-CMA", "kiosk", known) == "bg-20-cma-k8"
    assert next_device("BG-20-CMA", "tv", known) == "bg-20-cma-t1"
    assert all(is_device_id(next_device("BG-20-CMA", kind, [])) for kind in KINDS)


def test_no_device_is_called_like_the_hub() -> None:
    assert not any(may_be_device(name) for name in (*RESERVED, "", "A", "a/b", "+", "a" * 64))
    assert "hub" in RESERVED
    assert may_be_device("bg-20-cma-k1")


def test_a_device_is_a_client_and_a_server_a_server() -> None:
    authority = new_authority(NAME, NOW)
    device = issue_device(authority, "bg-20-cma-k1", new_key().public_key(), NOW, 365)
    server = issue_server(authority, ["mqtt.example.vn", "127.0.0.1"], NOW).certificate
    usages = [list(one.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) for one in (device, server)]
    assert usages == [[ExtendedKeyUsageOID.CLIENT_AUTH], [ExtendedKeyUsageOID.SERVER_AUTH]]
    assert hosts_of(server) == ["mqtt.example.vn", "127.0.0.1"]
    assert (authority.certificate.not_valid_after_utc - NOW).days == 20 * 365
    assert [renewal_due(device, NOW + timedelta(days=day)) for day in (242, 244)] == [False, True]


def test_a_code_says_whose_it_is_and_since_when() -> None:
    code = new_code(b"der", NOW + timedelta(seconds=59), timedelta(hours=24))
    read = parse_enrol_code(code.code.text())
    assert read == code.code
    assert read.issued_ms == round(NOW.timestamp() * 1000)  # never later than it was
    assert code.link("https://x.vn") == f"https://x.vn/enrol#{code.code.text()}"


def test_the_list_is_made_anew_when_something_is_missing_or_a_week_is_over() -> None:
    authority, serial = new_authority(NAME, NOW), f"{7:040x}"
    known = revocation.read(revocation.sign(authority, 3, {serial: NOW}, NOW))
    assert known.number == 3
    assert known.serials == frozenset({serial})
    assert known.next_update - NOW == revocation.LIFE
    assert not revocation.is_stale(known, [serial], NOW + timedelta(days=6))
    assert not revocation.is_stale(known, [], NOW)
    assert revocation.is_stale(known, [serial, f"{8:040x}"], NOW)
    assert revocation.is_stale(known, [], NOW + timedelta(days=7))
    assert revocation.is_stale(known, [], NOW - timedelta(days=1))  # the clock was wrong when it was made
    assert revocation.is_stale(None, [], NOW)


def test_another_name_gets_another_certificate_and_a_foreign_file_is_told(tmp_path: Path) -> None:
    made_folder(tmp_path)
    renamed = made_folder(tmp_path, name="other.example.vn")
    https = renamed.server_certificate("https")
    assert https is not None
    assert hosts_of(https) == ["other.example.vn"]
    (renamed.path / "crl.pem").write_text("no list")
    with pytest.raises(ConfigError, match="restore it from a backup"):
        renamed.keep({}, NOW)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"name": "a.vn"}, "needed together"),
        ({"name": "a.vn", "mqtt_name": "a.vn"}, "cannot be told apart"),
        ({"name": "https://a.vn", "mqtt_name": "b.vn"}, "no host name"),
        ({"name": "a.vn", "mqtt_name": "b.vn", "url": "http://a.vn"}, "is not https"),
        ({"name": "a.vn", "mqtt_name": "b.vn", "url": "https://a.vn/x"}, "without a path"),
    ],
)
def test_settings_that_cannot_hold_are_told(given: dict[str, str], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        PkiSettings.model_validate(given)


def test_ways_to_the_broker_and_the_release_key(tmp_path: Path) -> None:
    alone = PkiSettings(name="a.vn", mqtt_name="a.vn", shared_port=0)
    assert [way.port for way in broker_addresses(alone)] == [8883]
    assert alone.enrol_url == "https://a.vn"
    file = tmp_path / "release.pem"
    assert pki_settings(tmp_path).release_key() == ""
    for text in ("-----BEGIN PRIVATE KEY-----", "x" * 1000):
        file.write_text(text)
        with pytest.raises(ConfigError, match="not a public key"):
            pki_settings(tmp_path, release_key_file=file).release_key()
    file.write_text("-----BEGIN PUBLIC KEY-----\n")
    assert pki_settings(tmp_path, release_key_file=file).release_key().startswith("-----BEGIN PUBLIC")
    with pytest.raises(ConfigError, match=r"pki\.name and"):
        PkiSettings().require()


def test_what_root_makes_belongs_to_the_hubs_user(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        os.chown(tmp_path, NOBODY, NOBODY)
    settings = pki_settings(tmp_path)
    PkiFolder(settings).init(NOW)
    publication.write(settings.broker_folder, publication.renewed_at_broker(settings), make=True)
    owners = {path.stat().st_uid for path in tmp_path.rglob("*")}
    assert owners == {tmp_path.stat().st_uid}


def test_a_password_keeps_its_line_until_it_is_another_one() -> None:
    line = password_line("hub", "one")
    assert password_line("hub", "one", line) == line
    for other in (
        password_line("hub", "two", line),
        password_line("you", "one", line),
        password_line("hub", "one", "?"),
    ):
        assert other != line


def test_all_requests_together_have_a_limit() -> None:
    limits = Limits(ApiSettings())
    for number in range(600):
        limits.count_enrolment(f"192.0.2.{number // 30}")
    with pytest.raises(TooMany, match="at this moment"):
        limits.count_enrolment("198.51.100.1")
