"""A configuration of the hub: taken, kept, refused, known again; ended at every step."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from contract import codec
from contract.config import DeviceConfig, Limits, OpenSpan
from edge_agent.remote.configurations import SWITCHED_OFF
from tests.edge_agent.remote.killed import Killed, steps
from tests.edge_agent.remote.making import DISK_BYTES, Device, config


def test_what_the_hub_sets_holds_and_outlives_the_agent(tmp_path: Path) -> None:
    device = Device(tmp_path)
    assert device.configurations.revision == 0
    reply = device.set(config(3, alive_s=45))
    assert (reply.config, reply.outcome, reply.detail) == (3, "applied", "")
    assert device.applied == [config(3, alive_s=45)]
    assert device.told == ["revision 3 of the hub is in force"]
    again = Device(tmp_path)
    assert again.configurations.current == config(3, alive_s=45)
    assert again.set(config(3, alive_s=45)).outcome == "applied"
    assert (again.applied, again.told) == ([], [])


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ({"revision": 4, "intervals": {"alive_s": 5}}, ">= 15"),
        ({"revision": 4, "intervals": {"alive_s": "30"}}, "Expected `int"),
        ({"revision": 4, "intervals": []}, "Expected `object"),
        ({"revision": 4, "budget": {}}, "month_bytes"),
        ({"revision": 4, "opening": [[1, 0, 60], [1, 30, 60]]}, "invalid"),
        ({"revision": 4, "opening": [{"weekday": 1, "from_min": 0, "minutes": 0}]}, ">= 1"),
        ({"revision": 4, "nonsense": "\0"}, "nul"),
    ],
)
def test_a_bad_one_is_refused_with_its_reason_and_the_old_one_stays(
    tmp_path: Path, bad: dict[str, Any], why: str
) -> None:
    device = Device(tmp_path)
    device.set(config(3, alive_s=45))
    for _ in range(3):
        reply = device.set_bytes(json.dumps(bad).encode())
        assert (reply.config, reply.outcome) == (4, "refused")
        assert why in reply.detail
    assert device.configurations.current == Device(tmp_path).configurations.current == config(3, alive_s=45)
    assert len(device.told) == 2, "refused again and again is told once"
    assert "revision 4 of the hub is refused, 3 stays" in device.told[1]
    assert device.set(config(5)).outcome == "applied"


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (DeviceConfig(revision=4, opening=[OpenSpan(1, 0, 60), OpenSpan(1, 30, 60)]), "before what opened"),
        (DeviceConfig(revision=4, limits=Limits(outbox_max_bytes=DISK_BYTES + 1)), "the disk has"),
        (config(2), "revision 3 is in force, which is newer"),
        (config(3, alive_s=60), "another one than that of the same revision"),
    ],
)
def test_what_does_not_fit_this_device_is_refused(tmp_path: Path, bad: DeviceConfig, why: str) -> None:
    device = Device(tmp_path)
    device.set(config(3))
    reply = device.set(bad)
    assert (reply.config, reply.outcome) == (bad.revision, "refused")
    assert why in reply.detail
    assert device.configurations.current == config(3)


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"revision":0}', b'{"revision":"4"}', b"\xff", b"{" * 9_999])
def test_what_tells_no_revision_is_not_answered(tmp_path: Path, data: bytes) -> None:
    assert Device(tmp_path).configurations.take(data, codec.JSON) is None


def test_keys_of_a_newer_hub_are_told_and_passed_over(tmp_path: Path) -> None:
    data = b'{"revision":1,"intervals":{"alive_s":20,"nap_s":1},"colour":1}'
    reply = Device(tmp_path).set_bytes(data)
    assert (reply.outcome, reply.detail) == (
        "applied",
        "not known to this agent, passed over: colour, intervals.nap_s",
    )


def test_what_holds_from_the_next_start_only_is_told(tmp_path: Path) -> None:
    device = Device(tmp_path)
    assert "next start: intervals.slice_s" in device.set(config(1, slice_s=60)).detail
    assert device.set(config(2, slice_s=60, alive_s=20)).detail == ""


def test_a_device_whose_own_file_says_no_refuses_and_goes_by_its_file(tmp_path: Path) -> None:
    Device(tmp_path).set(config(3))
    device = Device(tmp_path, allowed=False)
    assert device.configurations.revision == 0
    reply = device.set(config(4))
    assert (reply.outcome, reply.detail) == ("refused", SWITCHED_OFF)


def test_what_was_kept_and_cannot_be_read_is_put_aside_and_asked_for_again(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes(b"\0" * 200)
    device = Device(tmp_path)
    assert device.configurations.revision == 0
    assert (tmp_path / "config.json.unreadable").exists()
    assert device.set(config(1)).outcome == "applied"


def test_a_card_that_takes_nothing_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    device = Device(tmp_path)
    device.set(config(3))

    def dying(*_: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", dying)
        reply = device.set(config(4))
    assert (reply.outcome, reply.detail) == ("refused", "it cannot be kept: Input/output error; check the SD card")
    assert device.configurations.revision == 3
    assert device.applied == [config(3)]


def test_wherever_it_ends_the_next_run_has_the_old_or_the_new_one_and_takes_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hub sends it again, as the next hello tells another revision."""
    old, new = config(1, alive_s=20), config(2, alive_s=40)
    with steps(monkeypatch) as counted:
        Device(tmp_path / "counted").set(old)
    found = set()
    for place in range(counted.places):
        folder = tmp_path / str(place)
        before = Device(folder)
        before.set(old)
        with steps(monkeypatch, place), pytest.raises(Killed):
            before.set(new)
        after = Device(folder)
        found.add(after.configurations.revision)
        assert after.configurations.current in (old, new)
        assert after.set(new).outcome == "applied"
        assert Device(folder).configurations.current == new
    assert found == {1, 2}
