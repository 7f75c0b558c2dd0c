"""Revocation reaches the broker: the list is written, read, and the session that was open ends."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from contract.topics import topic
from hub.api.enrolment import broker_addresses
from hub.chores.identity import HOLD, ask_brokers, keep_identities
from hub.config import HubSettings
from hub.pki.authority import issue_device, new_key
from hub.pki.authority import renewal_due as is_due
from hub.pki.codes import hash_of
from hub.pki.folder import PkiFolder
from hub.pki.requests import spki_sha256
from hub.store import enrolment, revocation
from hub.store.ledger_store import LedgerStore
from tests.hub.api.serving import register
from tests.hub.pki.making import make_code, write_identity
from tests.identity_servers import HubMosquitto, Identity, admitted, context, hub_settings
from tests.mqtt_client import Client
from tests.patience import until

DEVICE, OTHER = "bg-20-cma-k1", "bg-20-cma-k2"


class Hub:
    """Settings, authority, database and a broker."""

    def __init__(self, settings: HubSettings, connection: psycopg.Connection, broker: HubMosquitto) -> None:
        self.settings, self.connection, self.broker = settings, connection, broker
        self.folder = PkiFolder(settings.pki)

    def enrol(self, device: str) -> Identity:
        """By a code, as the API does it."""
        now, key = datetime.now(UTC), new_key()
        secret = make_code(self.connection, self.folder, device, now).code.secret
        issued = enrolment.enrol(
            self.connection,
            hash_of(secret),
            spki_sha256(key.public_key()),
            now,
            lambda name: issue_device(self.folder.authority(), name, key.public_key(), now, 365),
        )
        return write_identity(self.folder.path.parent, secret.hex(), issued.pem, key)

    def admits(self, identity: Identity) -> bool:
        return admitted(self.broker.port, context(self.folder, identity))

    def keep(self, now: datetime | None = None) -> None:
        keep_identities(self.connection, self.settings, now or datetime.now(UTC))


@pytest.fixture
def hub(tmp_path: Path, database: str, connection: psycopg.Connection) -> Iterator[Hub]:
    settings = hub_settings(tmp_path, database)
    settings.pki.broker_folder.mkdir(mode=0o750)
    PkiFolder(settings.pki).init(datetime.now(UTC))
    register(connection, DEVICE, OTHER)
    with HubMosquitto(settings) as broker:
        yield Hub(settings, connection, broker)


def test_a_live_session_ends_at_revocation_and_nobody_else_is_disturbed(hub: Hub) -> None:
    stolen, other = hub.enrol(DEVICE), hub.enrol(OTHER)
    with (
        Client(hub.broker.port, DEVICE, DEVICE, "any", tls=context(hub.folder, stolen)) as device,
        Client(hub.broker.port, OTHER, OTHER, "any", tls=context(hub.folder, other)) as neighbour,
    ):
        hub.keep()
        assert (device.disconnections, revocation.to_cut_off(hub.connection)) == (0, [])
        revocation.revoke(hub.connection, DEVICE, "stolen", by="command:test", now=datetime.now(UTC))
        hub.keep()  # the broker has not read the list yet: the session ends, and may come back
        device.wait_for(lambda: device.disconnections > 0)
        assert [one.verdict for one in ask_brokers(hub.settings, hub.folder)] == ["let in"]
        hub.broker.reload()
        until(lambda: not hub.admits(stolen))
        hub.keep()
        device.wait_for(lambda: not device.connected)
        assert revocation.to_cut_off(hub.connection) == [DEVICE]  # somebody may still wait with a handshake done
        hub.keep(datetime.now(UTC) + HOLD + timedelta(seconds=1))
        assert revocation.to_cut_off(hub.connection) == []
        assert neighbour.publish(topic(OTHER, "events"), b"undisturbed") < 128
        assert (neighbour.connections, neighbour.disconnections) == (1, 0)
    again = hub.enrol(DEVICE)
    hub.keep()
    assert hub.admits(again)
    assert not hub.admits(stolen)


def test_the_old_session_ends_although_the_device_is_enrolled_anew_at_once(hub: Hub) -> None:
    stolen = hub.enrol(DEVICE)
    with Client(hub.broker.port, DEVICE, DEVICE, "any", tls=context(hub.folder, stolen)) as device:
        revocation.revoke(hub.connection, DEVICE, "stolen", by="command:test", now=datetime.now(UTC))
        told = LedgerStore(hub.connection)
        told.raise_incident("revoked_device", DEVICE, {}, int(datetime.now(UTC).timestamp() * 1000))
        hub.enrol(DEVICE)  # the new kiosk does not connect yet
        assert hub.connection.execute("SELECT closed_by FROM incident").fetchall() == [("enrolment",)]
        hub.keep()
        hub.broker.reload()
        until(lambda: not hub.admits(stolen))
        hub.keep(datetime.now(UTC) + HOLD + timedelta(seconds=1))
        device.wait_for(lambda: not device.connected)
        assert revocation.to_cut_off(hub.connection) == []


def test_what_was_revoked_while_hub_and_broker_were_down_is_cut_off_later(hub: Hub) -> None:
    stolen = hub.enrol(DEVICE)
    hub.broker.stop()
    revocation.revoke(hub.connection, DEVICE, "stolen", by="command:test", now=datetime.now(UTC))
    hub.keep(datetime.now(UTC) + HOLD + timedelta(seconds=1))
    assert revocation.to_cut_off(hub.connection) == [DEVICE]  # nothing is proved of a broker that is not there
    hub.broker.start()
    hub.keep(datetime.now(UTC) + HOLD + timedelta(seconds=1))
    assert not hub.admits(stolen)
    assert revocation.to_cut_off(hub.connection) == []


def test_certificates_and_list_are_renewed_and_a_year_later_devices_still_get_in(hub: Hub) -> None:
    first = hub.folder.server_pem("mqtt"), hub.folder.list_pem()
    hub.keep()
    assert (hub.folder.server_pem("mqtt"), hub.folder.list_pem()) == first
    later = datetime.now(UTC) + timedelta(days=250)
    held = hub.folder.server_certificate("mqtt")
    assert held is not None
    assert is_due(held, later)
    hub.keep(later)
    assert hub.folder.server_pem("mqtt") != first[0]
    known = hub.folder.revocation_list()
    assert known is not None
    assert known.number == 2
    assert (hub.settings.pki.broker_folder / "server.pem").read_bytes() == hub.folder.server_pem("mqtt")
    assert (hub.settings.pki.broker_folder / "crl.pem").read_bytes() == hub.folder.list_pem()


def test_a_hub_without_an_authority_has_nothing_to_do(
    tmp_path: Path, database: str, connection: psycopg.Connection
) -> None:
    settings = hub_settings(tmp_path, database)
    assert keep_identities(connection, settings, datetime.now(UTC)) is False
    assert not settings.pki.folder.exists()
    assert [way.port for way in broker_addresses(settings.pki)] == [settings.pki.mqtt_port, settings.pki.shared_port]
