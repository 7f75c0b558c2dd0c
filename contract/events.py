"""The kinds of events a kiosk records.

Names follow the play-log and terminal-status terms of ITU-T H.782. One frozen struct a kind, told apart by the field
`kind`; `EVENT_KINDS` is the list, and the place where a new kind is added. A field that is absent was not observed.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Final, Literal, get_args

from msgspec import Meta, Struct

from contract.ids import ClockState, Name, Seq, Sha256Hex, Span, StreamId, UnixMs, refuse_reversed
from contract.limits import MAX_INT32, MAX_LOSS_RANGES, MAX_SEQ

UNNUMBERED: Final = 0
"""`seq` of an event that no outbox has taken yet; never on the wire."""

Count = Annotated[int, Meta(ge=0, le=MAX_SEQ)]
Milliseconds = Annotated[int, Meta(ge=0, le=MAX_INT32, description="ms")]
Percent = Annotated[int, Meta(ge=0, le=100)]
ContentRef = Annotated[str, Meta(min_length=1, max_length=512, description="Normalised file name or URL of a content.")]
Text = Annotated[str, Meta(max_length=512)]
Code = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,47}\Z", description="A code of the documented list.")]
Target = Annotated[
    str,
    Meta(pattern=r"^[a-z0-9][a-z0-9_./-]{0,63}\Z", description="Name of a page, medium or QR code; never free text."),
]
Language = Annotated[str, Meta(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})?\Z", description="BCP 47 tag as selected.")]
OpaqueId = Annotated[int, Meta(ge=1, le=MAX_SEQ, description="Random; means nothing outside its device.")]

PlayStatus = Literal["running", "success", "hardware_failure", "content_failure", "interrupted"]
Panel = Literal["on", "off", "unknown"]
Frame = Literal["match", "mismatch", "unknown"]
ScreenState = Literal["active", "asleep", "disconnected"]
Action = Literal[
    "session_start", "language", "page_view", "media_play", "search_used", "qr_shown", "feedback", "session_end"
]
LifecycleAction = Literal["boot", "start", "stop", "clock_step", "config", "update"]
LossReason = Literal["evicted", "refused", "damaged"]
Kind = Literal["play", "screen", "interaction", "health", "fault", "lifecycle", "loss"]


class Facts(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Independent observations that speak for a play; each may be unknown. The hub, not the kiosk, grades them."""

    listed: bool | None = None
    """The player's schedule or playlist names the content."""
    reported: bool | None = None
    """The player says that it is playing it."""
    rendering: bool | None = None
    """Its position or its frames were seen to advance; for a page: it is visible and answers."""
    panel: Panel = "unknown"
    frame: Frame = "unknown"


class Event(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, tag_field="kind"):
    """What every event carries besides its own fields."""

    KIND: ClassVar[Kind]
    seq: Seq
    time: UnixMs
    clock: ClockState = "synced"


class Play(Event, frozen=True, kw_only=True, tag="play"):
    """One slice of a content on one screen.

    Slice 0 opens a play and has no duration; a further slice follows every five minutes, at every change of the facts
    (one closes the time under the old facts, one of duration 0 opens the new) and at the end. `facts` speak for the
    slice's own `duration_ms`. Plays are counted by slice 0; time on screen is the sum of durations.
    """

    KIND: ClassVar[Kind] = "play"
    play_id: OpaqueId
    slice: Annotated[int, Meta(ge=0, le=MAX_INT32)]
    content_ref: ContentRef
    content_sha256: Sha256Hex | None = None
    screen: Name
    player: Name
    duration_ms: Milliseconds = 0
    status: PlayStatus = "running"
    facts: Facts = Facts()


class Screen(Event, frozen=True, kw_only=True, tag="screen"):
    """A screen's power as the kiosk's own hardware tells it."""

    KIND: ClassVar[Kind] = "screen"
    screen: Name
    state: ScreenState
    brightness: Percent | None = None
    volume: Percent | None = None


class Interaction(Event, frozen=True, kw_only=True, tag="interaction"):
    """One act of an unknown visitor. `session` is random, kept in memory only, and ended by idle time."""

    KIND: ClassVar[Kind] = "interaction"
    session: OpaqueId
    action: Action
    target: Target | None = None
    language: Language | None = None
    duration_ms: Milliseconds | None = None
    rating: Annotated[int, Meta(ge=1, le=5)] | None = None


class Health(Event, frozen=True, kw_only=True, tag="health"):
    """The kiosk's own condition; a value that cannot be read here is absent."""

    KIND: ClassVar[Kind] = "health"
    temperature_c: Annotated[float, Meta(ge=-100, le=250)] | None = None
    undervoltage: bool | None = None
    storage_errors: Annotated[int, Meta(ge=0, le=MAX_INT32)] | None = None
    disk_free_bytes: Count | None = None
    memory_available_bytes: Count | None = None
    uptime_s: Annotated[int, Meta(ge=0, le=MAX_INT32)] | None = None
    queue_events: Annotated[int, Meta(ge=0, le=MAX_INT32)] | None = None
    queue_oldest_s: Annotated[int, Meta(ge=0, le=MAX_INT32)] | None = None
    rtt_ms: Milliseconds | None = None
    clock_offset_ms: Annotated[int, Meta(ge=-MAX_SEQ, le=MAX_SEQ)] | None = None
    signal_dbm: Annotated[int, Meta(ge=-200, le=50)] | None = None
    bytes_sent: Count | None = None
    bytes_received: Count | None = None


class Fault(Event, frozen=True, kw_only=True, tag="fault"):
    """Something on the kiosk does not work; `code` is of the documented list, `reason` is for a technician."""

    KIND: ClassVar[Kind] = "fault"
    code: Code
    reason: Text = ""
    component: Name | None = None


class Lifecycle(Event, frozen=True, kw_only=True, tag="lifecycle"):
    """A start, stop, boot, change of clock, configuration or version of the agent."""

    KIND: ClassVar[Kind] = "lifecycle"
    action: LifecycleAction
    detail: Text = ""
    step_ms: Annotated[int, Meta(ge=-MAX_SEQ, le=MAX_SEQ)] | None = None


class Loss(Event, frozen=True, kw_only=True, tag="loss"):
    """Events of this device that will never arrive, exactly: loss is data."""

    KIND: ClassVar[Kind] = "loss"
    stream: StreamId
    lost_kind: Kind | None = None
    ranges: Annotated[list[Span], Meta(min_length=1, max_length=MAX_LOSS_RANGES)]
    reason: LossReason

    def __post_init__(self) -> None:
        """Also run while decoding, where the error becomes a ContractError."""
        refuse_reversed(self.ranges)


AnyEvent = Play | Screen | Interaction | Health | Fault | Lifecycle | Loss
EVENT_KINDS: Final = (Play, Screen, Interaction, Health, Fault, Lifecycle, Loss)
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
