"""One connection to one broker: events by the shared subscription, status and replies past it, our own words out.

The broker is transport only. Its thread never blocks and never writes to the database: a message goes into a bounded
inbox or is discarded and counted.
"""

from __future__ import annotations

import logging
import secrets
import ssl
import time
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from contract.codec import Payload
from contract.errors import ContractError
from contract.topics import ALL_REPLIES, ALL_STATUS, FROM_DEVICE, SHARED_EVENTS, Channel, parse_topic, topic
from hub.ingest.inbox import Message
from hub.metrics import HubMetrics

KEEPALIVE_S: Final = 15
_MOST_RECEIPTS_WAITING: Final = 20_000
_NO_RETAINED: Final = 2
"""MQTT 5, Retain Handling: what somebody had a broker keep is not a sign of life."""
log = logging.getLogger(__name__)


class Broker(NamedTuple):
    """Where a broker is and how to get in."""

    host: str
    port: int
    username: str
    password: str
    tls: ssl.SSLContext | None = None

    @property
    def name(self) -> str:
        """How logs and the database call it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class BrokerLink:
    """Keeps one broker connected while `open`; reconnects by itself."""

    def __init__(
        self,
        broker: Broker,
        worker: str,
        deliver: Callable[[Message], None],
        metrics: HubMetrics,
        *,
        hears_status: bool = True,
    ) -> None:
        self.broker = broker
        self._filters = [(SHARED_EVENTS, SubscribeOptions(qos=1))]
        if hears_status:
            past = SubscribeOptions(qos=1, retainHandling=_NO_RETAINED)
            self._filters += [(ALL_STATUS, past), (ALL_REPLIES, past)]
        self._worker, self._deliver, self._metrics = worker, deliver, metrics
        self._client: mqtt.Client | None = None
        self.connected = False

    def open(self) -> None:
        """Connect, now or as soon as the broker is there. Does nothing if it is open already."""
        if self._client is not None:
            return
        # A client id of its own for each time: a broker that still holds our last connection need not kick anyone.
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=f"{self._worker}-{secrets.token_hex(4)}", protocol=mqtt.MQTTv5
        )
        client.username_pw_set(self.broker.username, self.broker.password)
        if self.broker.tls is not None:
            client.tls_set_context(self.broker.tls)
        client.max_queued_messages_set(_MOST_RECEIPTS_WAITING)
        client.max_inflight_messages_set(1_000)
        client.reconnect_delay_set(1, 5)
        client.on_connect, client.on_disconnect, client.on_message = (
            self._on_connect,
            self._on_disconnect,
            self._on_message,
        )
        client.on_subscribe = self._on_subscribe
        self._client = client
        client.connect_async(self.broker.host, self.broker.port, KEEPALIVE_S, clean_start=True)
        client.loop_start()

    def close(self) -> None:
        """Leave the broker."""
        client, self._client = self._client, None
        self.connected = False
        if client is not None:
            client.disconnect()
            client.loop_stop()

    def answer(self, device: str, data: bytes, content_type: str) -> None:
        """Publish on a device's receipt topic. A receipt that cannot go out is not kept: the agent asks again."""
        self.publish(device, "receipt", Payload(data, content_type))

    def publish(self, device: str, channel: Channel, payload: Payload) -> None:
        """Publish on a topic of a device. What cannot go out is not kept: it is sent again when it is due again."""
        client = self._client
        if client is None or not client.is_connected():
            return
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.ContentType = payload.content_type
        sent = client.publish(topic(device, channel), payload.data, qos=1, properties=properties)
        if sent.rc not in (mqtt.MQTT_ERR_SUCCESS, mqtt.MQTT_ERR_NO_CONN):
            log.warning("a %s for %s did not go out: %s", channel, device, mqtt.error_string(sent.rc))

    # -- paho's thread ---------------------------------------------------------------------------------------

    def _on_connect(self, client: mqtt.Client, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any) -> None:
        if reason.is_failure:
            log.error("broker %s refuses us: %s", self.broker.name, reason)
            return
        client.subscribe(self._filters)

    def _on_subscribe(
        self, _client: mqtt.Client, _data: Any, _id: int, reasons: list[ReasonCode], _properties: Any
    ) -> None:
        if any(reason.is_failure for reason in reasons):
            log.error("broker %s does not let us read: %s", self.broker.name, [str(reason) for reason in reasons])
            return
        self.connected = True
        log.info("listening on broker %s", self.broker.name)

    def _on_disconnect(
        self, _client: mqtt.Client, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any
    ) -> None:
        if self.connected:
            log.warning("broker %s is gone: %s", self.broker.name, reason)
        self.connected = False

    def _on_message(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        self._metrics.messages_received.inc()
        try:
            device, channel = parse_topic(message.topic)
        except (ContractError, UnicodeDecodeError) as error:
            self._metrics.messages_discarded.labels(reason="topic").inc()
            log.warning("a message on a topic that is none of ours: %s", error)
            return
        if channel in FROM_DEVICE and not (channel != "events" and message.retain):
            content_type = getattr(message.properties, "ContentType", "") if message.properties else ""
            payload = bytes(message.payload)
            self._deliver(
                Message(
                    device,
                    channel,
                    payload,
                    content_type,
                    self.broker.name,
                    self.answer,
                    heard_ms=time.time_ns() // 1_000_000,
                )
            )
