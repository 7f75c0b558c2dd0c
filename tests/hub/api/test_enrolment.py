"""Certificates over HTTP: by a code once, by the certificate before, and for nobody else."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from contract.enrol import AUTHORITY_PATH, DEVICES_PATH, MAX_ENROL_BYTES, RENEWALS_PATH, Enrolled, EnrolRefused
from contract.enrol_code import authority_fingerprint, parse_enrol_code
from hub.config import PkiSettings
from hub.pki.authority import issue_device, new_authority, pem_of
from hub.pki.folder import PkiFolder
from hub.pki.requests import device_of
from hub.store.connection import connect
from hub.store.revocation import revoke
from tests.hub.api.serving import Api, register, serving
from tests.hub.people.making import Clock
from tests.hub.pki.making import MQTT_NAME, NAME, enrol_body, made_folder, make_code, new_key, pki_settings, renew_body
from tests.patience import until

DEVICE = "bg-20-cma-k1"
NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> PkiFolder:
    return made_folder(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def desk(database: str, connection: psycopg.Connection, folder: PkiFolder) -> Iterator[Api]:
    register(connection, DEVICE, "bg-20-cma-k2")
    with serving(database, Clock(NOW), pki=pki_settings(folder.path.parent)) as running:
        yield running


def post(api: Api, body: bytes, path: str = DEVICES_PATH, address: str = "127.0.0.1") -> Any:
    with api.client(address=address) as client:
        return client.post(path, content=body)


def enrolled(answer: Any) -> Enrolled:
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(answer.content, type=Enrolled)


def refused(answer: Any) -> tuple[int, EnrolRefused]:
    return answer.status_code, msgspec.json.decode(answer.content, type=EnrolRefused)


def count(connection: psycopg.Connection, query: str) -> int:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return int(row[0])


def counted(api: Api, request: str, result: str) -> float:
    value = api.metrics.registry.get_sample_value("ttdn_hub_enrolments_total", {"request": request, "result": result})
    return value or 0.0


def test_a_code_becomes_a_certificate(desk: Api, connection: psycopg.Connection, folder: PkiFolder) -> None:
    code, key = make_code(connection, folder, DEVICE, NOW), new_key()
    with desk.client() as client:
        authority = client.get(AUTHORITY_PATH)
    assert authority.status_code == 200
    shown = x509.load_pem_x509_certificate(authority.content)
    typed = parse_enrol_code(code.code.text())
    assert typed.authority == authority_fingerprint(folder.authority().der)
    got = enrolled(post(desk, enrol_body(typed.secret, key)))
    assert (got.device, got.url, got.authority) == (DEVICE, f"https://{NAME}", authority.text)
    assert [(way.host, way.port, way.transport) for way in got.brokers] == [
        (MQTT_NAME, 8883, "tcp"),
        (MQTT_NAME, 443, "tcp"),
    ]
    certificate = x509.load_pem_x509_certificate(got.certificate.encode())
    certificate.verify_directly_issued_by(shown)
    assert device_of(certificate) == DEVICE
    assert certificate.public_key() == key.public_key()
    assert certificate.not_valid_after_utc == NOW + timedelta(days=365)
    assert counted(desk, "enrol", "issued") == 1
    deeds = connection.execute("SELECT deed, who FROM audit_entry WHERE what = %s ORDER BY id", (f"device:{DEVICE}",))
    assert deeds.fetchall() == [("device_code_issued", "command:test"), ("device_enrolled", f"device:{DEVICE}")]


def test_the_same_request_again_is_answered_again_for_a_week(
    desk: Api, connection: psycopg.Connection, folder: PkiFolder
) -> None:
    body = enrol_body(make_code(connection, folder, DEVICE, NOW).code.secret, new_key())
    first = enrolled(post(desk, body))
    desk.clock.now += timedelta(days=6)
    assert enrolled(post(desk, body)).certificate == first.certificate
    assert counted(desk, "enrol", "again") == 1
    assert count(connection, "SELECT count(*) FROM certificate") == 1
    desk.clock.now += timedelta(days=2)
    assert refused(post(desk, body))[0] == 403


def test_wrong_used_expired_and_withdrawn_codes_are_refused_alike(
    desk: Api, connection: psycopg.Connection, folder: PkiFolder, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    used = make_code(connection, folder, DEVICE, NOW).code.secret
    enrolled(post(desk, enrol_body(used, new_key())))
    withdrawn = make_code(connection, folder, "bg-20-cma-k2", NOW).code.secret
    expired = make_code(connection, folder, "bg-20-cma-k2", NOW, timedelta(seconds=-1)).code.secret
    answers = [post(desk, enrol_body(secret, new_key())) for secret in (bytes(8), used, withdrawn, expired)]
    assert {answer.status_code for answer in answers} == {403}
    assert len({answer.content for answer in answers}) == 1
    assert [counted(desk, "enrol", why) for why in ("wrong", "used", "withdrawn", "expired")] == [1, 1, 1, 1]
    assert count(connection, "SELECT count(*) FROM certificate") == 1
    assert caplog.text.count("enrol refused: ") == 4
    for secret in (used, withdrawn, expired):
        assert secret.hex() not in caplog.text
    told = connection.execute("SELECT kind, detail->>'used_at' IS NOT NULL FROM incident").fetchall()
    assert told == [("code_misused", True)]  # somebody else has the code


def test_of_two_keys_with_one_code_one_gets_a_certificate(
    desk: Api, connection: psycopg.Connection, folder: PkiFolder
) -> None:
    secret = make_code(connection, folder, DEVICE, NOW).code.secret
    bodies = [enrol_body(secret, new_key()) for _ in range(6)]
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda body: post(desk, body).status_code, bodies))
    assert sorted(answers) == [200, 403, 403, 403, 403, 403]
    assert count(connection, "SELECT count(*) FROM certificate") == 1


def test_a_flood_waits_and_hears_for_how_long(desk: Api, connection: psycopg.Connection, folder: PkiFolder) -> None:
    body = enrol_body(bytes(8), new_key())
    answers = [refused(post(desk, body)) for _ in range(11)]
    assert [status for status, _ in answers] == [403] * 10 + [429]
    assert answers[-1][1].error == "too_many"
    assert 0 < answers[-1][1].retry_after_s <= 600
    good = enrol_body(make_code(connection, folder, DEVICE, NOW).code.secret, new_key())
    assert refused(post(desk, good))[1].error == "too_many"
    assert enrolled(post(desk, good, address="127.0.0.2")).device == DEVICE  # others need not wait
    assert counted(desk, "enrol", "too_many") == 2


def test_what_is_no_request_is_told_so(desk: Api) -> None:
    bodies = [
        b"",
        b"{",
        b"\xff",
        b'{"secret": ' + b"[" * 16_000,
        b'{"secret": "00", "csr": "x", "version": "1"}',
        b'{"secret": "0000000000000000", "csr": "x", "version": "1"}',
        b'{"secret": "0000000000000000", "csr": "-----BEGIN CERTIFICATE REQUEST-----\\n-----END", "version": "1"}',
    ]
    answers = [refused(post(desk, body)) for body in bodies]
    assert {(status, said.error) for status, said in answers} == {(400, "malformed")}
    assert counted(desk, "enrol", "malformed") == len(bodies)


def test_other_keys_and_too_much_are_not_taken(desk: Api, connection: psycopg.Connection, folder: PkiFolder) -> None:
    secret = make_code(connection, folder, DEVICE, NOW).code.secret
    for key in (rsa.generate_private_key(65_537, 2048), ec.generate_private_key(ec.SECP384R1())):
        status, said = refused(post(desk, enrol_body(secret, key)))  # type: ignore[arg-type]
        assert (status, said.error) == (400, "malformed")
        assert "P-256" in said.detail
    assert refused(post(desk, b" " * (MAX_ENROL_BYTES + 1)))[0] == 413
    assert count(connection, "SELECT count(*) FROM certificate") == 0


def test_renewal(desk: Api, connection: psycopg.Connection, folder: PkiFolder) -> None:
    key, next_key = new_key(), new_key()
    first = enrolled(post(desk, enrol_body(make_code(connection, folder, DEVICE, NOW).code.secret, key)))
    desk.clock.now += timedelta(days=365 + 179)  # it was in a cupboard
    body = renew_body(first.certificate, key, next_key)
    second = enrolled(post(desk, body, RENEWALS_PATH))
    assert second.device == DEVICE
    assert second.certificate != first.certificate
    assert enrolled(post(desk, body, RENEWALS_PATH)).certificate == second.certificate
    certificate = x509.load_pem_x509_certificate(second.certificate.encode())
    assert certificate.public_key() == next_key.public_key()
    assert count(connection, "SELECT count(*) FROM certificate WHERE renews IS NOT NULL") == 1
    third = enrolled(post(desk, renew_body(second.certificate, next_key, new_key()), RENEWALS_PATH))
    assert third.device == DEVICE
    assert [counted(desk, "renew", what) for what in ("issued", "again")] == [2, 1]


def test_no_renewal_by_others_too_late_or_after_revocation(
    desk: Api, connection: psycopg.Connection, folder: PkiFolder
) -> None:
    key = new_key()
    got = enrolled(post(desk, enrol_body(make_code(connection, folder, DEVICE, NOW).code.secret, key)))
    stranger = new_authority("stranger", NOW)
    forged = pem_of(issue_device(stranger, DEVICE, key.public_key(), NOW, 365))
    unknown = pem_of(issue_device(folder.authority(), DEVICE, key.public_key(), NOW, 365))  # of a lost database
    asked = [
        renew_body(got.certificate, new_key(), new_key()),  # another key signs
        renew_body(forged, key, new_key()),
        renew_body(unknown, key, new_key()),
        renew_body(folder.authority().pem, folder.authority().key, new_key()),
    ]
    answers = [refused(post(desk, body, RENEWALS_PATH)) for body in asked]
    desk.clock.now += timedelta(days=365 + 181)
    answers.append(refused(post(desk, renew_body(got.certificate, key, new_key()), RENEWALS_PATH)))
    desk.clock.now = NOW
    revoke(connection, DEVICE, "test", by="command:test", now=NOW)
    answers.append(refused(post(desk, renew_body(got.certificate, key, new_key()), RENEWALS_PATH)))
    assert {(status, said.error) for status, said in answers} == {(403, "refused")}
    assert len({said.detail for _, said in answers}) == 1
    assert counted(desk, "renew", "revoked") == 1


def test_a_revoked_device_is_let_in_by_a_new_code_only(
    desk: Api, connection: psycopg.Connection, folder: PkiFolder
) -> None:
    body = enrol_body(make_code(connection, folder, DEVICE, NOW).code.secret, new_key())
    enrolled(post(desk, body))
    revoke(connection, DEVICE, "test", by="command:test", now=NOW)
    assert refused(post(desk, body))[0] == 403
    assert count(connection, "SELECT count(*) FROM barred_device") == 1
    enrolled(post(desk, enrol_body(make_code(connection, folder, DEVICE, NOW).code.secret, new_key())))
    assert count(connection, "SELECT count(*) FROM barred_device") == 0
    assert count(connection, "SELECT count(*) FROM certificate WHERE revoked_at IS NULL") == 1


def test_a_renewal_during_a_revocation_is_wholly_before_or_after_it(
    desk: Api, connection: psycopg.Connection, folder: PkiFolder, database: str
) -> None:
    key = new_key()
    got = enrolled(post(desk, enrol_body(make_code(connection, folder, DEVICE, NOW).code.secret, key)))
    body = renew_body(got.certificate, key, new_key())
    with ThreadPoolExecutor(1) as thread, connect(database, "test") as revoking:
        with revoking.transaction():
            revoke(revoking, DEVICE, "test", by="command:test", now=NOW)
            renewing = thread.submit(post, desk, body, RENEWALS_PATH)
            until(lambda: count(connection, "SELECT count(*) FROM pg_locks WHERE NOT granted"), "it waits")
        assert refused(renewing.result())[0] == 403
    assert count(connection, "SELECT count(*) FROM certificate WHERE revoked_at IS NULL") == 0


def test_without_an_authority_nobody_is_enrolled(database: str, tmp_path: Path) -> None:
    for settings in (PkiSettings(), pki_settings(tmp_path)):
        with serving(database, Clock(NOW), pki=settings) as api:
            assert refused(post(api, enrol_body(bytes(8), new_key())))[0] == 503
            with api.client() as client:
                assert client.get(AUTHORITY_PATH).status_code == 503


def test_the_page_of_a_phone_shows_the_code_by_a_script_of_ours(desk: Api) -> None:
    with desk.client() as client:
        page, script = client.get("/enrol"), client.get("/enrol.js")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'; style-src 'self'; script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "Đăng ký thiết bị" in page.text
    assert '<script src="/enrol.js" defer></script>' in page.text
    assert script.headers["content-type"].startswith("text/javascript")
    assert "location.hash" in script.text
