"""Who gets in, and who reads what: real Mosquitto and nginx on the files that the hub generates."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from contract.topics import ALL_STATUS, FROM_DEVICE, SHARED_EVENTS, TO_DEVICE, topic
from hub.chores.broker_call import CallFailed, Entrance, OwnWay, take_over, try_canary
from hub.config import HubSettings
from hub.pki import publication
from hub.pki.authority import issue_server, new_authority, pem_of, serial_of
from hub.pki.folder import PkiFolder
from simulator.ports import HOST
from tests.hub.pki.making import MQTT_NAME, NAME, write_identity
from tests.identity_servers import (
    PASSWORD,
    HubMosquitto,
    HubNginx,
    Identity,
    admitted,
    context,
    hub_settings,
    identity,
    issued,
    resumable,
    resumes,
)
from tests.mqtt_client import Client
from tests.patience import until

A, B = "bg-20-cma-k1", "bg-20-cma-k2"
NOT_AUTHORIZED = 135


class Site:
    """Servers, and the authority behind them."""

    def __init__(self, settings: HubSettings, folder: PkiFolder, broker: HubMosquitto, proxy: HubNginx) -> None:
        self.settings, self.folder, self.broker, self.proxy = settings, folder, broker, proxy
        self.path = folder.path.parent

    def identity(self, device: str, days: int = 365, ago_days: int = 0) -> Identity:
        now = datetime.now(UTC) - timedelta(days=ago_days)
        return identity(self.path, self.folder.authority(), device, now, days)

    def client(self, device: str, client_id: str | None = None, port: int | None = None) -> Client:
        """A device, whatever it calls itself."""
        tls = context(self.folder, self.identity(device))
        name = client_id or device
        return Client(port or self.broker.port, name, name, "any", tls=tls)

    def hub(self) -> Client:
        return Client(self.broker.own_port, "hub-1", "hub", PASSWORD)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    settings = hub_settings(tmp_path_factory.mktemp("site"))
    settings.pki.broker_folder.mkdir(mode=0o750)
    folder = PkiFolder(settings.pki)
    folder.init(datetime.now(UTC))
    with HubMosquitto(settings) as broker, HubNginx(settings) as proxy:
        yield Site(settings, folder, broker, proxy)


@pytest.fixture
def hub(site: Site) -> Iterator[Client]:
    with site.hub() as client:
        for topic_filter in (SHARED_EVENTS, ALL_STATUS, "ttdn/v1/+/reply"):
            assert client.subscribe(topic_filter) < 128
        yield client


@pytest.fixture(params=["8883", "443"])
def port(request: pytest.FixtureRequest, site: Site) -> int:
    """Both ways to the broker: its own port, and the proxy's, by name."""
    return site.broker.port if request.param == "8883" else site.proxy.port


def test_a_device_comes_in_both_ways_and_reads_and_writes_its_own(site: Site, hub: Client, port: int) -> None:
    with site.client(A, port=port) as device:
        for channel in TO_DEVICE:
            assert device.subscribe(topic(A, channel)) < 128
            hub.publish(topic(A, channel), channel.encode())
        for channel in FROM_DEVICE:
            assert device.publish(topic(A, channel), channel.encode()) < 128
        hub.wait_for(lambda: len(hub.messages) == len(FROM_DEVICE))
        device.wait_for(lambda: len(device.messages) == len(TO_DEVICE))


def test_a_device_reads_and_writes_nothing_of_another(site: Site, hub: Client) -> None:
    with site.client(A) as a, site.client(B) as b:
        for channel in (*FROM_DEVICE, *TO_DEVICE):
            assert a.publish(topic(B, channel), b"forged") == NOT_AUTHORIZED
        for asked in (topic(B, "receipt"), "ttdn/v1/+/receipt", "ttdn/v1/#", "#", "+/+/+/+", SHARED_EVENTS, ALL_STATUS):
            a.subscribe(asked)
        for channel in TO_DEVICE:
            hub.publish(topic(B, channel), b"for b")
        for channel in FROM_DEVICE:
            assert b.publish(topic(B, channel), b"of b") < 128
        assert a.subscribe(topic(A, "command")) < 128
        hub.publish(topic(A, "command"), b"the last")
        a.wait_for(lambda: b"the last" in a.payloads)
        assert set(a.messages) == {(topic(A, "command"), b"the last")}
        hub.wait_for(lambda: hub.payloads.count(b"of b") == len(FROM_DEVICE))
        assert b"forged" not in hub.payloads
        assert (a.disconnections, b.disconnections) == (0, 0)


def test_a_device_is_who_its_certificate_says_whatever_it_calls_itself(site: Site, hub: Client) -> None:
    with site.client(B) as b, site.client(A, client_id=B) as a:
        assert a.publish(topic(B, "events"), b"forged") == NOT_AUTHORIZED
        assert a.publish(topic(A, "events"), b"its own") < 128
        assert b.publish(topic(B, "events"), b"still there") < 128
        assert b.disconnections == 0
    with site.client(A, client_id="hub") as a:
        assert a.publish(topic(B, "command"), b"forged") == NOT_AUTHORIZED
    hub.wait_for(lambda: len(hub.messages) == 2)
    assert {payload for _, payload in hub.messages} == {b"its own", b"still there"}


def test_a_last_will_in_the_name_of_another_reaches_nobody(site: Site, hub: Client) -> None:
    for where in (topic(B, "status"), topic(A, "status")):
        client = site.client(A)
        client.will(where, b"last words")
        try:
            client.__enter__()
        except ConnectionError:
            continue  # refused as a whole: good, too
        client.break_off()
    hub.wait_for(lambda: bool(hub.messages))
    assert hub.messages == [(topic(A, "status"), b"last words")]


def _nobody(site: Site) -> None:
    return None


def _expired(site: Site) -> Identity:
    return site.identity(A, days=30, ago_days=40)


def _not_yet(site: Site) -> Identity:
    return site.identity(A, ago_days=-30)


def _foreign(site: Site) -> Identity:
    return identity(site.path, new_authority(NAME, datetime.now(UTC)), A, datetime.now(UTC))


def _self_signed(site: Site) -> Identity:
    made = new_authority(A, datetime.now(UTC))
    return write_identity(site.path, "self-signed", made.pem, made.key)


def _server(site: Site) -> Identity:
    made = issue_server(site.folder.authority(), [A], datetime.now(UTC))
    return write_identity(site.path, "server", made.pem().decode(), made.key)


def _revoked(site: Site) -> Identity:
    return site.folder.canary_file, site.folder.canary_file


@pytest.mark.parametrize("who", [_nobody, _expired, _not_yet, _foreign, _self_signed, _server, _revoked])
def test_nobody_else_gets_in(site: Site, port: int, who: Callable[[Site], Identity | None]) -> None:
    assert not admitted(port, context(site.folder, who(site)))


def test_the_check_above_lets_devices_in(site: Site, port: int) -> None:
    assert admitted(port, context(site.folder, site.identity(A)))


def test_the_hub_needs_its_password(site: Site) -> None:
    for user, password in (("hub", "wrong"), (A, PASSWORD), ("", "")):
        with pytest.raises(CallFailed, match="does not let the hub in"):
            take_over(OwnWay(HOST, site.broker.own_port, user, password), "x")


def test_the_list_holds_after_a_reload_and_the_canary_tells(site: Site, port: int) -> None:
    entrance = Entrance(HOST, port, MQTT_NAME, site.folder.authority().pem)
    assert try_canary(entrance, site.folder.canary_file) == "refused"
    made, key = issued(site.folder.authority(), B, datetime.now(UTC))
    files = write_identity(site.path, f"revoked-{port}", pem_of(made), key)
    assert admitted(port, context(site.folder, files))
    ticket = resumable(port, context(site.folder, files))
    now = datetime.now(UTC)
    assert site.folder.keep({serial_of(made): now}, now).revocation_list
    assert "crl.pem" in publication.write(
        site.settings.pki.broker_folder, publication.renewed_at_broker(site.settings.pki)
    )
    assert try_canary(entrance, site.folder.canary_file) == "let in"  # not read yet
    assert admitted(port, context(site.folder, files))
    site.broker.reload()
    until(lambda: try_canary(entrance, site.folder.canary_file) == "refused")
    assert not admitted(port, context(site.folder, files))
    assert not resumes(port, *ticket)
    assert admitted(port, context(site.folder, site.identity(B)))  # another certificate of the same device


def test_nginx_accepts_its_configuration(site: Site) -> None:
    checked = site.proxy.check()
    assert checked.returncode == 0, checked.stderr


def test_the_broker_forgets_everything_and_says_nothing_of_it(site: Site) -> None:
    text = (site.settings.pki.broker_folder / "mosquitto.conf").read_text()
    assert "persistence false" in text
    assert "websockets" not in text
    assert json.dumps(PASSWORD).strip('"') not in "".join(
        file.read_text()
        for file in site.settings.pki.broker_folder.iterdir()
        if file.name != "server.log" and file.is_file()
    )
    ran = subprocess.run(
        ["ps", "-ww", "-o", "args=", "-p", str(site.broker.pid)], capture_output=True, text=True, check=True
    )
    assert PASSWORD not in ran.stdout
