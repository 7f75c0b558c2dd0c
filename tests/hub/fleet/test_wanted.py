"""What a device is to have, changed key by key and refused as the device would refuse it."""

from __future__ import annotations

import pytest

from contract.config import DAY_MIN, DeviceConfig, Intervals, OpenSpan
from hub.fleet.errors import BadSetting, NotCommanded
from hub.fleet.opening import of_week, read_day
from hub.fleet.orders import ORDERS, order
from hub.fleet.wanted import KEYS, Expected, changed, device_config, told, with_opening
from hub.registry.opening import UNKNOWN_WEEK, Span, Week

HUB = Expected(heartbeat_s=60, alive_timeout_s=90)


def test_keys_are_set_one_by_one_and_left_to_the_device_again() -> None:
    settings = changed({}, ["intervals.look_s=2.5", "intervals.alive_s = 45", "budget.month_bytes=60000000"], HUB)
    assert device_config(settings, 7) == device_config(
        {"intervals": {"look_s": 2.5, "alive_s": 45}, "budget": {"month_bytes": 60_000_000}}, 7
    )
    assert told(settings) == {
        "intervals.look_s": "2.5",
        "intervals.alive_s": "45",
        "budget.month_bytes": "60000000",
    }
    fewer = changed(settings, ["intervals.look_s=", "budget.month_bytes="], HUB)
    assert device_config(fewer, 8) == DeviceConfig(revision=8, intervals=Intervals(alive_s=45))
    assert changed(fewer, ["intervals.alive_s="], HUB) == {}


def test_opening_hours_by_weekday_also_past_midnight() -> None:
    settings = changed({}, ["opening.mon=07:00-11:30, 13:30-17:00", "opening.sat=22:00-06:00", "opening.sun=nghỉ"], HUB)
    assert device_config(settings, 1).opening == [
        OpenSpan(1, 420, 270),
        OpenSpan(1, 810, 210),
        OpenSpan(6, 1_320, 480),
    ]
    assert told(settings) == {"opening.mon": "07:00-11:30, 13:30-17:00", "opening.sat": "22:00-06:00"}
    assert changed(settings, [f"{key}={value}" for key, value in told(settings).items()], HUB)["opening"]
    assert changed(settings, ["opening="], HUB) == {}
    assert told(changed({}, ["opening.mon=nghỉ"], HUB)) == {"opening": "closed"}
    assert read_day(2, "cả ngày") == [OpenSpan(2, 0, DAY_MIN)]


def test_opening_hours_of_the_registry() -> None:
    week: Week = ((Span(420, 690), Span(810, 1_020)), (), *UNKNOWN_WEEK[2:])
    assert with_opening({}, of_week(week))["opening"] == [
        {"weekday": 1, "from_min": 420, "minutes": 270},
        {"weekday": 1, "from_min": 810, "minutes": 210},
    ]
    with pytest.raises(BadSetting, match="no opening hours"):
        of_week(UNKNOWN_WEEK)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("intervals.look_s", "expected key=value"),
        ("intervals.look=1", "there is no setting 'intervals.look'"),
        ("revision=9", "there is no setting"),
        ("intervals.alive_s=soon", "not a number"),
        ("intervals.alive_s=2.5", "Expected `int"),
        ("intervals.alive_s=61", "<= 60"),
        ("intervals.look_s=nan", "intervals"),
        ("intervals.health_s=61", "compliance.heartbeat_s"),
        ("limits.outbox_max_bytes=1", ">= 1000000"),
        ("budget.month_bytes=0", ">= 1000000"),
        ("opening.mon=7-17", "is no opening"),
        ("opening.mon=07:00-07:00", "is no opening"),
        ("opening.mon=07:00-24:30", "is no opening"),
        ("opening.mon=07:00-12:00, 11:00-13:00", "before what opened"),
    ],
)
def test_what_a_device_would_refuse_is_refused_before_it_is_sent(change: str, why: str) -> None:
    with pytest.raises(BadSetting, match=why.replace("(", r"\(")):
        changed({}, [change], HUB)


def test_signs_of_life_come_before_the_hub_calls_a_device_silent() -> None:
    with pytest.raises(BadSetting, match="alive_timeout_s"):
        changed({}, ["intervals.alive_s=60"], Expected(60, 89))


def test_every_key_is_known_by_its_name() -> None:
    assert "intervals.slice_s" in KEYS
    assert "opening.sun" in KEYS


def test_orders_are_the_agents() -> None:
    assert [known.name for known in ORDERS] == ["identify", "snapshot", "restart-player", "send-now"]
    with pytest.raises(NotCommanded, match="there is no command 'update'"):
        order("update")
