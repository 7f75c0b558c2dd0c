"""One MQTT 5 connection of the agent, from connect to its end; nothing outlives it.

paho would keep what was published across a reconnect and send it again. Our own protocol does that better (it knows
what the hub has), so every connection is a new client, and what it had not sent dies with it.
"""

from __future__ import annotations

import logging
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, Literal, NamedTuple

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from contract.codec import Payload
from contract.topics import Channel, parse_topic, topic
from edge_agent.line_bytes import line_bytes

KEEPALIVE_S: Final = 75
"""Longer than between two words of the uplink, so that no ping is ever needed besides them."""
CONNECT_TIMEOUT_S: Final = 10.0
CLOSE_S: Final = 2.0
log = logging.getLogger(__name__)


class LinkError(Exception):
    """There is no connection; try the next broker after a while. The text says which one and why."""


class Broker(NamedTuple):
    """Where a broker is and how to get in: by name and password, or by the certificate that `tls` shows."""

    host: str
    port: int
    username: str = ""
    """Empty: the certificate says who we are."""
    password: str = ""
    tls: ssl.SSLContext | None = None
    transport: Literal["tcp", "websockets"] = "tcp"
    path: str = "/mqtt"
    """Of the WebSocket."""
    generation: str = ""
    """Of the identity whose certificate is shown; empty if none is."""


class Link:
    """A connection under way. The callbacks run in paho's thread and must return at once."""

    def __init__(
        self,
        device: str,
        broker: Broker,
        last_words: Payload,
        *,
        on_ready: Callable[[], None],
        on_receipt: Callable[[bytes, str], None],
        on_end: Callable[[str], None],
        on_word: Callable[[Channel, bytes, str], None] | None = None,
    ) -> None:
        """`on_word` takes what else the hub says: on `config` and `command`, which are not read without it."""
        self._device, self._broker = device, broker
        self._on_ready, self._on_receipt, self._on_end = on_ready, on_receipt, on_end
        self._on_word = on_word
        self.bytes_sent = self.bytes_received = self._line_bytes = 0
        self._ended = threading.Event()
        self._aliases: dict[str, int] = {}
        self._most_aliases = 0
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=device,
            protocol=mqtt.MQTTv5,
            transport=broker.transport,
            reconnect_on_failure=False,
        )
        if broker.transport == "websockets":
            client.ws_set_options(path=broker.path)
        if broker.username:
            client.username_pw_set(broker.username, broker.password)
        if broker.tls is not None:
            client.tls_set_context(broker.tls)
        client.connect_timeout = CONNECT_TIMEOUT_S
        will = _properties(last_words, PacketTypes.WILLMESSAGE)
        client.will_set(topic(device, "status"), last_words.data, qos=1, properties=will)
        client.on_connect, client.on_disconnect = self._connected, self._disconnected
        client.on_subscribe, client.on_message = self._subscribed, self._received
        self._client = client

    def open(self) -> None:
        """Begin; `on_ready` follows once receipts can come in, or `on_end`. LinkError if the broker is not there."""
        try:
            self._client.connect(self._broker.host, self._broker.port, KEEPALIVE_S, clean_start=True)
        except (OSError, ValueError) as error:
            raise LinkError(f"broker {self._broker.host}:{self._broker.port}: {error}") from error
        self._client.loop_start()

    def line_bytes(self) -> int:
        """Bytes on the line so far, both ways, as far as the kernel tells; what it told last once it is closed."""
        self._line_bytes = max(self._line_bytes, line_bytes(self._client.socket()) or 0)
        return self._line_bytes

    def publish(self, channel: Literal["events", "status", "reply"], payload: Payload) -> None:
        """Hand a message to the connection; whether it arrives, a receipt tells."""
        self.bytes_sent += len(payload.data)
        properties = _properties(payload, PacketTypes.PUBLISH)
        name = topic(self._device, channel)
        if name not in self._aliases and len(self._aliases) < self._most_aliases:
            self._aliases[name] = properties.TopicAlias = len(self._aliases) + 1
        elif name in self._aliases:  # the broker knows it by its number: some 30 bytes less a message
            properties.TopicAlias, name = self._aliases[name], ""
        self._client.publish(name, payload.data, qos=1, properties=properties)

    def close(self, *, last_words: bool = True) -> None:
        """End the connection in good order, or, if the network swallows even that, within CLOSE_S.

        The broker then says the last words, unless there are to be none because we have said goodbye ourselves.
        """
        self.line_bytes()
        connection = self._client.socket()
        reason = ReasonCode(PacketTypes.DISCONNECT, "Disconnect with will message") if last_words else None
        self._client.disconnect(reason)
        if isinstance(connection, socket.socket) and not self._ended.wait(CLOSE_S):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._client.loop_stop()

    def _connected(self, client: mqtt.Client, _data: Any, _flags: Any, reason: ReasonCode, properties: Any) -> None:
        if reason.is_failure:
            self._on_end(f"broker {self._broker.host}:{self._broker.port} refuses us: {reason}")
        else:
            self._most_aliases = getattr(properties, "TopicAliasMaximum", 0)
            # QoS 0: a receipt that is lost is answered for by sending again, an acknowledgement would only cost.
            words: tuple[Channel, ...] = ("config", "command") if self._on_word else ()
            client.subscribe(
                [(topic(self._device, "receipt"), 0), *((topic(self._device, channel), 1) for channel in words)]
            )

    def _subscribed(
        self, _client: mqtt.Client, _data: Any, _id: int, reasons: list[ReasonCode], _properties: Any
    ) -> None:
        receipts, *words = [reason.is_failure for reason in reasons]
        if any(words):  # rules of an older hub: events go on as before
            log.warning("broker %s does not let us read configuration and commands", self._broker.host)
        if receipts:
            self._on_end(f"broker {self._broker.host}:{self._broker.port} does not let us read receipts")
        else:
            self._on_ready()

    def _received(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        self.bytes_received += len(message.payload)
        content_type = getattr(message.properties, "ContentType", "") if message.properties else ""
        if message.topic == topic(self._device, "receipt"):
            self._on_receipt(bytes(message.payload), content_type)
        elif self._on_word is not None and not message.retain:
            self._on_word(parse_topic(message.topic)[1], bytes(message.payload), content_type)

    def _disconnected(
        self, _client: mqtt.Client, _data: Any, flags: mqtt.DisconnectFlags, reason: ReasonCode, _properties: Any
    ) -> None:
        self._ended.set()
        why = f"{reason}" if flags.is_disconnect_packet_from_server else "the connection broke"
        self._on_end(f"broker {self._broker.host}:{self._broker.port}: {why}")


def _properties(payload: Payload, packet: int) -> Properties:
    properties = Properties(packet)  # type: ignore[no-untyped-call]
    properties.ContentType = payload.content_type
    return properties
