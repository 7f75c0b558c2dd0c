"""MQTT topics: `ttdn/v1/<device>/<channel>`. A device publishes and reads only below its own name."""

from __future__ import annotations

from typing import Final, Literal, get_args

from contract.errors import ContractError
from contract.ids import is_device_id

Channel = Literal["events", "status", "receipt", "config", "command", "reply"]
CHANNELS: Final[tuple[Channel, ...]] = get_args(Channel)
FROM_DEVICE: Final[tuple[Channel, ...]] = ("events", "status", "reply")
TO_DEVICE: Final[tuple[Channel, ...]] = ("receipt", "config", "command")
PREFIX: Final = "ttdn/v1"
SHARE_GROUP: Final = "hub"
ALL_STATUS: Final = f"{PREFIX}/+/status"
ALL_REPLIES: Final = f"{PREFIX}/+/reply"
SHARED_EVENTS: Final = f"$share/{SHARE_GROUP}/{PREFIX}/+/events"


def topic(device: str, channel: Channel) -> str:
    """The topic of one channel of one device."""
    if not is_device_id(device):
        raise ContractError("topic", f"{device!r} is not a device id (a-z, 0-9, '-', at most 63 characters)")
    return f"{PREFIX}/{device}/{channel}"


def parse_topic(text: str) -> tuple[str, Channel]:
    """The device and channel that a topic names; ContractError if it is not a topic of ours."""
    prefix, _, rest = text.rpartition(f"{PREFIX}/")
    device, _, name = rest.partition("/")
    for channel in CHANNELS:
        if channel == name and not prefix and text.startswith(PREFIX) and is_device_id(device):
            return device, channel
    raise ContractError("topic", f"{text[:120]!r} is not {PREFIX}/<device>/<channel>")
