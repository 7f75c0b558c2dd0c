"""A process that publishes ready-made MQTT packets from raw sockets, so that the client is never the limit.

It stands for agents: QoS 1, MQTT 5, content type as they set it, on a few connections (the broker reads one packet a
connection and turn). It reads and acknowledges every receipt, without looking into it, as agents' clients do.
"""

from __future__ import annotations

import selectors
import socket
import struct
import time
from collections import deque
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Final, NamedTuple

from simulator.ports import HOST

USER: Final = "bench"
PASSWORD: Final = "bench"
_CONNECT, _CONNACK, _PUBLISH, _PUBACK, _SUBSCRIBE, _SUBACK = 0x10, 0x20, 0x30, 0x40, 0x82, 0x90
_CONTENT_TYPE: Final = 0x03
_SEND_BYTES: Final = 64 * 1024
_PAUSE_S: Final = 0.05
_PATIENCE_S: Final = 30.0


class Outgoing(NamedTuple):
    """A message to publish; `due_s` after the start, or as soon as it can be sent."""

    topic: str
    payload: bytes
    content_type: str
    due_s: float


class Published(NamedTuple):
    """When each message was handed to its socket (Unix s, in the order given)."""

    sent_s: list[float]
    began_s: float


def serve(port: int, connections: int, receipts: str, orders: Connection) -> None:
    """The process: for each list of `Outgoing` one `Published`; ends when the other end closes."""
    sessions = [_Session(port, f"bench-publisher-{number}") for number in range(connections)]
    sessions[0].subscribe(receipts)
    with selectors.DefaultSelector() as selector:
        for session in sessions:
            selector.register(session.socket, selectors.EVENT_READ, session)
        while (messages := _next_order(orders, selector)) is not None:
            for number, message in enumerate(messages):
                sessions[number % connections].add(message, number)
            orders.send("ready")
            orders.recv()
            orders.send(_publish(sessions, selector, len(messages)))


def _next_order(orders: Connection, selector: selectors.BaseSelector) -> Sequence[Outgoing] | None:
    """Wait for the next list, reading receipts meanwhile."""
    while not orders.poll(0.05):
        for key, _ in selector.select(0):
            key.data.read()
    try:
        messages: Sequence[Outgoing] | None = orders.recv()
    except EOFError:
        return None
    return messages


def _publish(sessions: Sequence[_Session], selector: selectors.BaseSelector, count: int) -> Published:
    """Send everything when it is due; done when the broker has acknowledged it all."""
    sent_s = [0.0] * count
    began_s, began = time.time(), time.monotonic()
    heard = began
    while any(session.waiting or session.unacknowledged for session in sessions):
        now = time.monotonic()
        due = [session.send(now - began, sent_s) for session in sessions]
        for session in sessions:
            wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if session.blocked else 0)
            selector.modify(session.socket, wanted, session)
        pause = min((each - (now - began) for each in due if each is not None), default=_PAUSE_S)
        ready = selector.select(min(max(pause, 0), _PAUSE_S))
        if any(key.data.read() for key, events in ready if events & selectors.EVENT_READ) or pause > 0:
            heard = now
        if now - heard > _PATIENCE_S:
            raise TimeoutError("the broker does not acknowledge what was published")
    return Published(sent_s, began_s)


class _Session:
    """One MQTT 5 connection: no more of the protocol than a publisher needs."""

    def __init__(self, port: int, client_id: str) -> None:
        self.socket = socket.create_connection((HOST, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.unacknowledged = 0
        self.blocked = False
        self.waiting: deque[tuple[float, int, bytes]] = deque()
        """Due, number and packet."""
        self._out, self._in = bytearray(), bytearray()
        self._packet_id = 0
        head = _text("MQTT") + bytes([5, 0xC2]) + struct.pack("!H", 0) + b"\0"
        self.socket.sendall(_packet(_CONNECT, head + _text(client_id) + _text(USER) + _text(PASSWORD)))
        self._expect(_CONNACK)
        self.socket.setblocking(False)

    def subscribe(self, topic_filter: str) -> None:
        """QoS 1, no special options."""
        self.socket.setblocking(True)
        self.socket.sendall(_packet(_SUBSCRIBE, struct.pack("!HB", 1, 0) + _text(topic_filter) + b"\x01"))
        self._expect(_SUBACK)
        self.socket.setblocking(False)

    def add(self, message: Outgoing, number: int) -> None:
        """Make the packet of a message that is sent later."""
        self._packet_id = self._packet_id % 0xFFFF + 1
        properties = bytes([_CONTENT_TYPE]) + _text(message.content_type)
        head = _text(message.topic) + struct.pack("!H", self._packet_id) + _length(len(properties)) + properties
        self.waiting.append((message.due_s, number, _packet(_PUBLISH | 0x02, head + message.payload)))

    def send(self, now_s: float, sent_s: list[float]) -> float | None:
        """Send what is due, as far as the socket takes it; when the next is due, if it is not blocked."""
        while self.waiting and self.waiting[0][0] <= now_s and len(self._out) < _SEND_BYTES:
            _, number, packet = self.waiting.popleft()
            self._out += packet
            self.unacknowledged += 1
            sent_s[number] = time.time()
        self._flush()
        return self.waiting[0][0] if self.waiting and not self.blocked else None

    def read(self) -> int:
        """Take what came; how many of our messages it acknowledges."""
        try:
            data = self.socket.recv(256 * 1024)
        except BlockingIOError:
            return 0
        if not data:
            raise ConnectionError("the broker has ended a publisher's connection")
        self._in += data
        acknowledged = 0
        for kind, body in self._packets():
            acknowledged += kind == _PUBACK
            if kind & 0xF0 == _PUBLISH:
                self._acknowledge(kind, body)
        self.unacknowledged -= acknowledged
        self._flush()
        return acknowledged

    def _acknowledge(self, kind: int, body: bytes) -> None:
        if kind & 0x06:
            (size,) = struct.unpack_from("!H", body)
            self._out += bytes([_PUBACK, 2]) + body[2 + size : 4 + size]

    def _flush(self) -> None:
        try:
            while self._out:
                del self._out[: self.socket.send(self._out)]
        except BlockingIOError:
            pass
        self.blocked = bool(self._out)

    def _packets(self) -> list[tuple[int, bytes]]:
        found, at = [], 0
        while (size := _remaining(self._in, at + 1)) is not None and at + size[1] + size[0] <= len(self._in):
            found.append((self._in[at], bytes(self._in[at + size[1] : at + size[1] + size[0]])))
            at += size[1] + size[0]
        del self._in[:at]
        return found

    def _expect(self, kind: int) -> None:
        while not (packets := self._packets()):
            data = self.socket.recv(4096)
            if not data:
                raise ConnectionError("the broker refuses the publisher")
            self._in += data
        assert packets[0][0] == kind, packets[0]


def _remaining(data: bytearray, at: int) -> tuple[int, int] | None:
    """Length of a packet's body and, with it, of its header; None while it is not complete."""
    value = shift = 0
    for number, byte in enumerate(data[at : at + 4]):
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return value, number + 2
    return None


def _packet(kind: int, body: bytes) -> bytes:
    return bytes([kind]) + _length(len(body)) + body


def _length(size: int) -> bytes:
    coded = bytearray()
    while True:
        size, low = size >> 7, size & 0x7F
        coded.append(low | (0x80 if size else 0))
        if not size:
            return bytes(coded)


def _text(text: str) -> bytes:
    raw = text.encode()
    return struct.pack("!H", len(raw)) + raw
