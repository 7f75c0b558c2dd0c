"""A plain MQTT 5 client for tests of brokers: it waits for what it asked for and keeps what it got."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from paho.mqtt.client import Client as Paho
from paho.mqtt.client import ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from simulator.ports import HOST

DEADLINE_S = 60.0


class Client:
    """One session, clean at its start, that reconnects by itself; a context manager.

    Entering raises ConnectionError when the broker refuses it.
    """

    def __init__(
        self, port: int, client_id: str, user: str, password: str, *, tls: ssl.SSLContext | None = None
    ) -> None:
        self.port = port
        self.messages: list[tuple[str, bytes]] = []
        self.connections = 0
        self.disconnections = 0
        self._answers: dict[int, list[int]] = {}
        self._changed = threading.Condition()
        self._paho = Paho(CallbackAPIVersion.VERSION2, client_id, protocol=MQTTProtocolVersion.MQTTv5)
        self._paho.username_pw_set(user, password)
        if tls is not None:
            self._paho.tls_set_context(tls)
        self._paho.reconnect_delay_set(min_delay=1, max_delay=1)
        self._paho.on_connect = self._on_connect
        self._paho.on_disconnect = self._on_disconnect
        self._paho.on_message = self._on_message
        self._paho.on_publish = self._on_publish
        self._paho.on_subscribe = self._on_subscribe

    @property
    def payloads(self) -> list[bytes]:
        return [payload for _, payload in self.messages]

    @property
    def connected(self) -> bool:
        return self._paho.is_connected()

    def __enter__(self) -> Self:
        self._paho.connect(HOST, self.port)
        self._paho.loop_start()
        self.wait_for(lambda: self.connections > 0 or self.disconnections > 0)
        if not self.connections:
            self._close()
            raise ConnectionError("the broker refused the connection")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def will(self, topic: str, payload: bytes) -> None:
        """Last words, before it is entered."""
        self._paho.will_set(topic, payload, qos=1)

    def break_off(self) -> None:
        """End without a goodbye, so that the broker says the last words."""
        connection = self._paho.socket()
        assert isinstance(connection, socket.socket)
        self._paho.reconnect_delay_set(60, 60)
        connection.shutdown(socket.SHUT_RDWR)
        self.wait_for(lambda: self.disconnections > 0)
        self._close()

    def subscribe(self, topic_filter: str) -> int:
        """Subscribe at QoS 1; returns the broker's reason code (below 128 is granted)."""
        _, mid = self._paho.subscribe(topic_filter, 1)
        return self._answer(mid)

    def publish(self, topic: str, payload: bytes) -> int:
        """Publish at QoS 1; returns the reason code of the broker's PUBACK (135 is `not authorized`)."""
        return self._answer(self._paho.publish(topic, payload, 1).mid)

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Return when the condition holds, which may speak of several clients; AssertionError after DEADLINE_S."""
        deadline = time.monotonic() + DEADLINE_S
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"did not come true in {DEADLINE_S:.0f} s; received: {self.messages}")
            with self._changed:
                self._changed.wait(0.05)

    def _answer(self, mid: int | None) -> int:
        assert mid is not None, "not sent: there is no connection"
        self.wait_for(lambda: mid in self._answers)
        return max(self._answers[mid])

    def _close(self) -> None:
        self._paho.disconnect()
        self._paho.loop_stop()

    def _on_connect(
        self, client: Paho, data: Any, flags: ConnectFlags, code: ReasonCode, properties: Properties | None
    ) -> None:
        with self._changed:
            if not code.is_failure:
                self.connections += 1
            self._changed.notify_all()

    def _on_disconnect(
        self, client: Paho, data: Any, flags: DisconnectFlags, code: ReasonCode, properties: Properties | None
    ) -> None:
        with self._changed:
            self.disconnections += 1
            self._changed.notify_all()

    def _on_message(self, client: Paho, data: Any, message: MQTTMessage) -> None:
        with self._changed:
            self.messages.append((message.topic, bytes(message.payload)))
            self._changed.notify_all()

    def _on_publish(self, client: Paho, data: Any, mid: int, code: ReasonCode, properties: Properties | None) -> None:
        self._keep_answer(mid, [code.value])

    def _on_subscribe(
        self, client: Paho, data: Any, mid: int, codes: list[ReasonCode], properties: Properties | None
    ) -> None:
        self._keep_answer(mid, [code.value for code in codes])

    def _keep_answer(self, mid: int, codes: list[int]) -> None:
        with self._changed:
            self._answers[mid] = codes
            self._changed.notify_all()
