"""Asking the hub's brokers whether they let us in as this device, and the hub behind them whether it answers.

Only where no agent runs: a second connection of the same name would throw its own out. The hello names no stream, so
whatever the hub answers changes nothing of what is held; it is followed by a goodbye.
"""

from __future__ import annotations

import queue
import secrets
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from contract import codec
from contract.errors import ContractError
from contract.status import Hello, Queue
from contract.version import VERSION
from edge_agent.config import AgentSettings
from edge_agent.doctor.x509_dates import Dates, dates_of_der
from edge_agent.identity.moment import clock_of
from edge_agent.mqtt import Broker, Link, LinkError
from edge_agent.uplink import last_words
from edge_agent.way import find_way

CONNECT_S: Final = 8.0
ANSWER_S: Final = 10.0
_ALERT_S: Final = 1.0
"""With TLS 1.3 a server that does not want our certificate says so only after its own handshake is done."""


def broker_list(settings: AgentSettings) -> list[Broker]:
    """Where the agent would go, each place once. AgentError if neither settings nor enrolment lead anywhere."""
    clock = clock_of(Path(settings.state_folder))
    way = find_way(settings, clock.moment)
    places: dict[str, Broker] = {}
    for broker in way.brokers:  # an earlier certificate of ours is tried at the same ones
        places.setdefault(where(broker), broker)
    return list(places.values())


def where(broker: Broker) -> str:
    """Its name in findings."""
    return f"{broker.host}:{broker.port}"


class Obstacle(NamedTuple):
    """Why a server cannot be used: a code that texts know, and what the machine said."""

    code: str
    reason: str


def obstacle_of(error: OSError | ValueError) -> Obstacle:
    """The code of what a connection failed with."""
    reason = str(getattr(error, "strerror", None) or error) or type(error).__name__
    if isinstance(error, ssl.SSLCertVerificationError):
        reason = error.verify_message if getattr(error, "verify_message", "") else str(error.args[-1])
        return Obstacle("untrusted", reason)
    if isinstance(error, ssl.SSLError):
        alert = (error.reason or "").upper()
        return Obstacle("refuses_us" if "ALERT" in alert else "tls", error.reason or reason)
    if isinstance(error, socket.gaierror):
        return Obstacle("no_name", reason)
    if isinstance(error, ConnectionRefusedError):
        return Obstacle("closed", reason)
    if isinstance(error, TimeoutError):
        return Obstacle("timeout", reason)
    return Obstacle("unreachable", reason)


class Server(NamedTuple):
    """What a first contact with a broker showed."""

    reached: bool
    trouble: Obstacle | None = None
    dates: Dates | None = None
    """Of its certificate."""


def contact(broker: Broker) -> Server:
    """Connect as far as TLS goes and no further: nothing of it is seen by a running agent or the hub."""
    try:
        plain = socket.create_connection((broker.host, broker.port), timeout=CONNECT_S)
    except (OSError, ValueError) as error:
        return Server(reached=False, trouble=obstacle_of(error))
    with plain:
        if broker.tls is None:
            return Server(reached=True)
        try:
            with broker.tls.wrap_socket(plain, server_hostname=broker.host) as secure:
                found = dates_of_der(secure.getpeercert(binary_form=True) or b"")
                _await_alert(secure)
        except (OSError, ValueError) as error:
            return Server(reached=True, trouble=obstacle_of(error))
    return Server(reached=True, dates=found)


def _await_alert(secure: ssl.SSLSocket) -> None:
    """Raises ssl.SSLError if the server refuses us after the handshake."""
    secure.settimeout(_ALERT_S)
    with suppress(TimeoutError):
        secure.recv(1)


class Answered(NamedTuple):
    """How far a hello came: to the broker, and to the hub and back."""

    let_in: bool
    why: str = ""
    rtt_ms: int | None = None


def ask(device: str, broker: Broker, held: Queue, *, answer_s: float = ANSWER_S) -> Answered:
    """Go in as this device, say hello, wait for the receipt, say goodbye."""
    nonce, session = secrets.token_hex(8), secrets.token_hex(8)
    inputs: queue.SimpleQueue[str | bytes | tuple[bytes, str]] = queue.SimpleQueue()
    link = Link(
        device,
        broker,
        codec.encode_status(last_words(session, nonce, "lost")),
        on_ready=lambda: inputs.put(b"ready"),
        on_receipt=lambda data, content_type: inputs.put((data, content_type)),
        on_end=lambda why: inputs.put(why),
    )
    try:
        link.open()
    except LinkError as error:
        return Answered(let_in=False, why=str(error))
    try:
        return _talk(link, inputs, session, nonce, held, answer_s)
    finally:
        link.close(last_words=False)


def _talk(
    link: Link,
    inputs: queue.SimpleQueue[str | bytes | tuple[bytes, str]],
    session: str,
    nonce: str,
    held: Queue,
    answer_s: float,
) -> Answered:
    first = _next(inputs, CONNECT_S, lambda item: not isinstance(item, tuple))
    if not isinstance(first, bytes):
        return Answered(let_in=False, why=first if isinstance(first, str) else "it does not answer")
    hello = Hello(session=session, nonce=nonce, version=VERSION, streams=[], queue=held)
    link.publish("status", codec.encode_status(hello))
    began_s = time.monotonic()
    answer = _next(inputs, answer_s, lambda item: isinstance(item, str) or _is_answer(item, nonce))
    rtt_ms = round((time.monotonic() - began_s) * 1000) if isinstance(answer, tuple) else None
    if not isinstance(answer, str):
        link.publish("status", codec.encode_status(last_words(session, nonce, "stop")))
    return Answered(let_in=True, why=answer if isinstance(answer, str) else "", rtt_ms=rtt_ms)


def _next(
    inputs: queue.SimpleQueue[str | bytes | tuple[bytes, str]],
    within_s: float,
    wanted: Callable[[str | bytes | tuple[bytes, str]], bool],
) -> str | bytes | tuple[bytes, str] | None:
    end_s = time.monotonic() + within_s
    while (left_s := end_s - time.monotonic()) > 0:
        try:
            item = inputs.get(timeout=left_s)
        except queue.Empty:
            return None
        if wanted(item):
            return item
    return None


def _is_answer(item: str | bytes | tuple[bytes, str], nonce: str) -> bool:
    if not isinstance(item, tuple):
        return False
    try:
        return codec.decode_receipt(*item).nonce == nonce
    except ContractError:
        return False
