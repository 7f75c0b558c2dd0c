"""A topic names one device and one channel, or is refused."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.errors import ContractError
from contract.ids import DEVICE_PATTERN, is_device_id
from contract.topics import ALL_STATUS, CHANNELS, FROM_DEVICE, SHARED_EVENTS, TO_DEVICE, Channel, parse_topic, topic

DEVICES = st.from_regex(DEVICE_PATTERN, fullmatch=True)


@given(DEVICES, st.sampled_from(CHANNELS))
def test_a_topic_comes_back(device: str, channel: Channel) -> None:
    assert parse_topic(topic(device, channel)) == (device, channel)


@given(st.text())
def test_any_text_is_a_topic_of_ours_or_refused(text: str) -> None:
    for candidate in (text, f"ttdn/v1/{text}", f"ttdn/v1/{text}/events", f"ttdn/v1/a/{text}"):
        with suppress(ContractError):
            assert topic(*parse_topic(candidate)) == candidate


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "ttdn/v1//events",
        "ttdn/v1/+/events",
        "ttdn/v1/#",
        "ttdn/v1/a/events/",
        "ttdn/v1/a/events\n",
        "ttdn/v1/a\n/events",
        "ttdn/v1/a/b/events",
        "/ttdn/v1/a/events",
        "xttdn/v1/a/events",
        "ttdn/v1/ttdn/v1/a/events",
        "ttdn/v2/a/events",
        "ttdn/v1/A/events",
        "ttdn/v1/../events",
        "ttdn/v1/-a/events",
        "ttdn/v1/" + "a" * 64 + "/events",
        "ttdn/v1/a/nothing",
        "$share/hub/ttdn/v1/a/events",
        ALL_STATUS,
        SHARED_EVENTS,
    ],
)
def test_hostile_topics(text: str) -> None:
    with pytest.raises(ContractError) as raised:
        parse_topic(text)
    assert raised.value.reason == "topic"


@pytest.mark.parametrize("device", ["", "+", "#", "a/b", "A", "-a", "a" * 64, "a\n", "a\0", "á"])
def test_nothing_but_a_device_gets_a_topic(device: str) -> None:
    assert not is_device_id(device)
    with pytest.raises(ContractError, match="not a device id"):
        topic(device, "events")


def test_every_channel_has_one_direction() -> None:
    assert sorted(FROM_DEVICE + TO_DEVICE) == sorted(CHANNELS)
