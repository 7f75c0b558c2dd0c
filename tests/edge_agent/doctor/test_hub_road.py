"""The road to the hub, for real: closed ports, servers that are not ours, brokers that refuse, hubs that sleep."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509

from contract.status import Goodbye, Hello, Queue
from edge_agent import tls
from edge_agent.doctor import hub, x509_dates
from edge_agent.doctor.hub import contact
from edge_agent.mqtt import Broker
from edge_agent.tls import Moment
from simulator.broker import EmbeddedBroker
from simulator.ports import HOST
from tests.edge_agent import hand_hub
from tests.edge_agent.doctor.certificates import Authority, tls_server
from tests.edge_agent.hand_hub import HandHub, dead_port
from tests.patience import until

DEVICE = "bg-20-cma-k1"
AUTHORITY = Authority.new()


def broker_at(port: int, context: ssl.SSLContext | None = None, password: str = "of the kiosk") -> Broker:
    return Broker(HOST, port, DEVICE, password, context)


def trusting(folder: Path, identity: tuple[Path, Path] | None = None) -> ssl.SSLContext:
    def now() -> Moment:
        return Moment(time.time_ns() // 1_000_000, certain=True)

    return tls.client_context(AUTHORITY.file(folder), identity, now)


# -- as far as TLS -----------------------------------------------------------------------------------------------------


def test_a_port_that_is_closed() -> None:
    with dead_port() as port:
        server = contact(broker_at(port))
    assert (server.reached, server.trouble and server.trouble.code) == (False, "closed")


def test_a_name_that_is_none() -> None:
    server = contact(Broker("no-such-host.invalid", 1, DEVICE, ""))
    assert (server.reached, server.trouble and server.trouble.code) == (False, "no_name")
    assert contact(Broker("a" * 300, 1, DEVICE, "")).trouble is not None


def test_a_server_of_ours_tells_its_dates(tmp_path: Path) -> None:
    files = AUTHORITY.write(tmp_path, days=20)
    with tls_server(files) as port:
        server = contact(broker_at(port, trusting(tmp_path)))
    assert server.trouble is None
    assert server.dates == x509_dates.dates(files[0].read_text())
    assert server.dates is not None
    assert 19 < (server.dates.ends_ms - time.time() * 1000) / 86_400_000 <= 20


def test_an_expired_server_and_one_of_another_authority(tmp_path: Path) -> None:
    with tls_server(AUTHORITY.write(tmp_path, days=-2)) as port:
        expired = contact(broker_at(port, trusting(tmp_path)))
    assert expired.trouble is not None
    assert expired.trouble.code == "untrusted"
    assert "expired on" in expired.trouble.reason
    with tls_server(Authority.new().write(tmp_path, days=20)) as port:
        foreign = contact(broker_at(port, trusting(tmp_path)))
    assert foreign.trouble is not None
    assert foreign.trouble.code == "untrusted"


def test_a_server_that_does_not_take_our_certificate(tmp_path: Path) -> None:
    files, authority = AUTHORITY.write(tmp_path, days=20), AUTHORITY.file(tmp_path)
    ours = AUTHORITY.write(tmp_path, days=20, name=DEVICE)
    expired = AUTHORITY.write(tmp_path, days=-1, name="expired")
    with tls_server(files, clients_of=authority) as port:
        for identity in (None, expired):
            refused = contact(broker_at(port, trusting(tmp_path, identity)))
            assert refused.trouble is not None
            assert refused.trouble.code == "refuses_us", refused
        assert contact(broker_at(port, trusting(tmp_path, ours))).trouble is None


def test_what_is_no_tls_at_all(tmp_path: Path) -> None:
    with socket.create_server((HOST, 0)) as listening:
        listening.settimeout(10)

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(1)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        server = contact(broker_at(listening.getsockname()[1], trusting(tmp_path)))
        thread.join()
    assert server.trouble is not None
    assert server.trouble.code == "tls"


# -- as far as the hub -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedBroker]:
    users = {DEVICE: "of the kiosk", hand_hub.USER: hand_hub.PASSWORD}
    with EmbeddedBroker(tmp_path_factory.mktemp("broker"), users) as embedded:
        yield embedded


def test_a_hello_of_our_own_comes_back_and_says_goodbye(broker: EmbeddedBroker) -> None:
    with HandHub(broker.port, DEVICE, answers=True) as listening:
        answered = hub.ask(DEVICE, broker_at(broker.port), Queue(events=7, oldest_s=3))
        assert answered.let_in
        assert answered.rtt_ms is not None
        (hello,) = listening.statuses(Hello)
        assert (hello.streams, hello.queue.events) == ([], 7), "it claims nothing and hides nothing"
        (goodbye,) = until(lambda: listening.statuses(Goodbye))
        assert (goodbye.session, goodbye.reason) == (hello.session, "stop")
        assert listening.batches() == []


def test_a_hub_that_sleeps(broker: EmbeddedBroker) -> None:
    with HandHub(broker.port, DEVICE, answers=False):
        answered = hub.ask(DEVICE, broker_at(broker.port), Queue(), answer_s=0.3)
    assert (answered.let_in, answered.rtt_ms) == (True, None)


def test_a_broker_that_refuses_us(broker: EmbeddedBroker) -> None:
    answered = hub.ask(DEVICE, broker_at(broker.port, password="of another"), Queue())
    assert not answered.let_in
    assert "refuses us" in answered.why or "broke" in answered.why


# -- dates of certificates ---------------------------------------------------------------------------------------------


def test_dates_are_those_that_cryptography_reads(tmp_path: Path) -> None:
    for days in (1, 400, 40_000):  # the last one is past 2050, where X.509 writes years in full
        file, _ = AUTHORITY.write(tmp_path, days=days)
        theirs = x509.load_pem_x509_certificate(file.read_bytes())
        ours = x509_dates.dates("bag attributes\n" + file.read_text())
        assert ours.begins_ms == theirs.not_valid_before_utc.timestamp() * 1000
        assert ours.ends_ms == theirs.not_valid_after_utc.timestamp() * 1000


def test_what_is_no_certificate_is_a_value_error(tmp_path: Path) -> None:
    pem = AUTHORITY.write(tmp_path, days=1)[0].read_text()
    der = ssl.PEM_cert_to_DER_cert(pem)
    for text in ("", "rubbish", pem.replace("BEGIN", "BEGUN")):
        with pytest.raises(ValueError, match="certificate"):
            x509_dates.dates(text)
    for length in (*range(40), 100, 150):
        with pytest.raises(ValueError, match=r"cut off|not a certificate|no known form|does not match"):
            x509_dates.dates_of_der(der[:length])
