"""Messages as they were once written. A change of the contract that reads or writes them differently breaks kiosks that
are out there: add a new file beside an old one, never change one.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from contract import codec
from contract.batch import Batch
from contract.command import Args, Command, Picture, Reply
from contract.config import DataBudget, DeviceConfig, Intervals, Limits, OpenSpan
from contract.events import (
    EVENT_KINDS,
    AnyEvent,
    Facts,
    Fault,
    Health,
    Interaction,
    Lifecycle,
    Loss,
    Play,
    Screen,
)
from contract.receipt import Covered, Receipt, Refusal
from contract.status import Alive, AnyStatus, Goodbye, Hello, Opening, Pending, Queue

FOLDER = Path(__file__).parent / "golden"
STREAM = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
OTHER = "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"
SESSION, NONCE = "5e55105e55105e55", "00112233445566ff"
SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
TIME = 1_790_000_000_000

EVENTS: dict[str, AnyEvent] = {
    "play": Play(
        seq=1,
        time=TIME,
        clock="estimated",
        play_id=9_007_199_254_740_991,
        slice=2,
        content_ref="chào-mừng/Tây Trang.mp4",
        content_sha256=SHA256,
        screen="main",
        player="mpv",
        duration_ms=300_000,
        status="success",
        facts=Facts(listed=True, reported=True, rendering=False, panel="on", frame="mismatch"),
    ),
    "screen": Screen(seq=2, time=TIME, screen="hdmi-1", state="asleep", brightness=80, volume=0),
    "interaction": Interaction(
        seq=3,
        time=TIME,
        clock="repaired",
        session=4_711,
        action="feedback",
        target="hai-quan/khai-bao",
        language="zh-Hant",
        duration_ms=12_345,
        rating=5,
    ),
    "health": Health(
        seq=4,
        time=TIME,
        temperature_c=61.5,
        undervoltage=False,
        storage_errors=0,
        disk_free_bytes=12_345_678_901,
        memory_available_bytes=734_003_200,
        uptime_s=86_400,
        queue_events=17,
        queue_oldest_s=3,
        rtt_ms=48,
        clock_offset_ms=-120,
        signal_dbm=-71,
        bytes_sent=1_048_576,
        bytes_received=4_096,
    ),
    "fault": Fault(seq=5, time=TIME, code="video_stuck", reason='"Cửa khẩu" đứng hình\n\t\\ 国门', component="mpv"),
    "lifecycle": Lifecycle(seq=6, time=TIME, action="clock_step", detail="NTP", step_ms=-3_600_000),
    "loss": Loss(seq=7, time=TIME, stream=OTHER, lost_kind="health", ranges=[(1, 1), (3, 90)], reason="evicted"),
}
STATUSES: dict[str, AnyStatus] = {
    "hello": Hello(
        session=SESSION,
        nonce=NONCE,
        version="0.1.0",
        streams=[Pending(stream=OTHER, low=4, high=90), Pending(stream=STREAM, low=1, high=7)],
        queue=Queue(events=94, oldest_s=3_600, full=True, refused=12),
    ),
    "hello-opening": Hello(session=SESSION, nonce=NONCE, version="0.1.0", opening=Opening(outbox=OTHER, number=365)),
    "alive": Alive(session=SESSION, nonce=NONCE, queue=Queue(events=1), faults=["low_disk", "video_stuck"]),
    "goodbye": Goodbye(session=SESSION, nonce=NONCE, reason="lost"),
}
BATCH = Batch(stream=STREAM, nonce=NONCE, live=True, events=list(EVENTS.values()))
RECEIPT = Receipt(
    nonce=NONCE,
    hub_time=TIME + 250,
    hello=True,
    streams=[
        Covered(stream=OTHER, low=4, high=90, committed=[(4, 9), (12, 90)], lost=[(10, 11)]),
        Covered(stream=STREAM, low=1, high=7),
    ],
    refused=[Refusal(sha256=SHA256, reason="not_json")],
)
CONFIG = DeviceConfig(
    revision=7,
    intervals=Intervals(alive_s=45, hello_s=900, health_s=60, look_s=1.5, screen_s=5.0, slice_s=300),
    limits=Limits(outbox_max_bytes=200_000_000),
    opening=[OpenSpan(1, 420, 600), OpenSpan(5, 1_320, 480)],
    budget=DataBudget(month_bytes=60_000_000),
)
COMMAND = Command(
    id=NONCE, name="identify", issued_ms=TIME, expires_ms=TIME + 600_000, args=Args(site="Cửa khẩu Chi Ma")
)
REPLIES = {
    "reply": Reply(command=NONCE, outcome="done", detail="đã chụp", picture=Picture("image/jpeg", b"\xff\xd8\xff")),
    "reply-config": Reply(config=7, outcome="refused", detail="opening: weekday 1 07:00 begins before ..."),
}
GOLDEN = (*EVENTS, *STATUSES, *REPLIES, "batch", "receipt", "config", "command", "hello-config")


def golden(name: str) -> bytes:
    return (FOLDER / f"{name}.json").read_bytes().removesuffix(b"\n")


@pytest.mark.parametrize("name", EVENTS)
def test_events(name: str) -> None:
    assert codec.decode_event(golden(name)) == EVENTS[name]
    assert codec.encode_event(EVENTS[name]) == golden(name)


@pytest.mark.parametrize("name", STATUSES)
def test_statuses(name: str) -> None:
    assert codec.decode_status(golden(name), codec.JSON) == STATUSES[name]
    assert codec.inflate(*codec.encode_status(STATUSES[name])) == golden(name)


def test_batch() -> None:
    assert codec.decode_batch(golden("batch"), codec.JSON) == BATCH
    bodies = [codec.encode_event(event) for event in BATCH.events]
    assert codec.inflate(*codec.encode_batch(STREAM, bodies, nonce=NONCE, live=True)) == golden("batch")


def test_deflated_batch() -> None:
    # Deflating is not held to the byte: another zlib may find a shorter form of the same text.
    assert codec.decode_batch((FOLDER / "batch.bin").read_bytes(), codec.DEFLATED) == BATCH


def test_batch_deflated_with_the_dictionary() -> None:
    # It also holds the dictionary to the byte: with another one nothing of this can be read.
    assert codec.decode_batch((FOLDER / "batch-d1.bin").read_bytes(), codec.PRIMED) == BATCH


def test_receipt() -> None:
    assert codec.decode_receipt(golden("receipt"), codec.JSON) == RECEIPT
    assert codec.inflate(*codec.encode_receipt(RECEIPT)) == golden("receipt")


def test_a_hello_that_tells_its_configuration() -> None:
    hello = Hello(session=SESSION, nonce=NONCE, version="0.1.0", config=7)
    assert codec.decode_status(golden("hello-config"), codec.JSON) == hello
    assert codec.inflate(*codec.encode_status(hello)) == golden("hello-config")


def test_config() -> None:
    assert codec.decode_config(golden("config"), codec.JSON) == CONFIG
    assert codec.inflate(*codec.encode_config(CONFIG)) == golden("config")


def test_command() -> None:
    assert codec.decode_command(golden("command"), codec.JSON) == COMMAND
    assert codec.inflate(*codec.encode_command(COMMAND)) == golden("command")


@pytest.mark.parametrize("name", REPLIES)
def test_replies(name: str) -> None:
    assert codec.decode_reply(golden(name), codec.JSON) == REPLIES[name]
    assert codec.inflate(*codec.encode_reply(REPLIES[name])) == golden(name)


def test_every_kind_has_its_file() -> None:
    assert set(EVENTS) == {kind.KIND for kind in EVENT_KINDS}
    assert {file.name for file in FOLDER.iterdir()} == {f"{name}.json" for name in GOLDEN} | {
        "batch.bin",
        "batch-d1.bin",
    }


def test_golden_events_leave_no_field_out() -> None:
    for name, event in EVENTS.items():
        told = {**{field: getattr(event, field) for field in event.__struct_fields__}}
        untold = [field for field, value in told.items() if value is None]
        assert not untold, f"{name}: {untold}"
