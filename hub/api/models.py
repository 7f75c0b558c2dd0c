"""What the API answers: each model with an example; times in UTC."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from contract.events import Frame, Panel, PlayStatus
from contract.ids import ClockState
from contract.ranges import RangeSet
from hub.compliance.verdict import Verdict
from hub.grade import Grade, grade_of
from hub.people.principal import Principal
from hub.people.roles import Role, Scope
from hub.store import multirange
from hub.store.readers import Row

Presence = Literal["online", "offline", "unknown"]
Showing = Literal["now", "ended", "last_heard"]
Span = Annotated[tuple[int, int], Field(description="A closed range: first and last, both included.")]
_FACTS = ("listed", "reported", "rendering", "panel", "frame")


class Answer(BaseModel):
    """What all answers have in common."""

    model_config = ConfigDict(frozen=True)


class Site(Answer):
    """An information point."""

    code: str = Field(examples=["BG-20-CMA"])
    name_vi: str = Field(examples=["Chi Ma"])
    province_vi: str = Field(examples=["Lạng Sơn"])
    province_code: str = Field(examples=["20"])
    neighbour: str = Field(examples=["CN"])
    gate_type: str = Field(examples=["chinh"])
    lat: float | None = Field(description="Degrees, WGS 84; see confidence.", examples=[21.8111])
    lon: float | None = Field(description="Degrees, WGS 84; see confidence.", examples=[107.0488])
    confidence: str = Field(description="Where type and coordinate are from.", examples=["W/M"])
    devices: int = Field(description="Registered devices.", examples=[2])


class FactsSeen(Answer):
    """Independent observations; null and `unknown`: not observed."""

    listed: bool | None = Field(description="The player's schedule names the content.", examples=[True])
    reported: bool | None = Field(description="The player says that it plays it.", examples=[True])
    rendering: bool | None = Field(description="Its position or frames were seen to advance.", examples=[True])
    panel: Panel = Field(description="The screen's power.", examples=["on"])
    frame: Frame = Field(description="The picture compared with the content.", examples=["unknown"])


class Screen(Answer):
    """What a screen shows; `showing` says whether that is now."""

    screen: str = Field(examples=["main"])
    player: str = Field(examples=["mpv"])
    showing: Showing = Field(
        description="now: playing, told by a device that is online. ended: that play is over, nothing else was told. "
        "last_heard: the device is offline or unknown; what it shows now is not known.",
        examples=["now"],
    )
    grade: Grade | None = Field(
        description="How much speaks for the play as last told; null: nothing is known.", examples=["panel_on"]
    )
    status: PlayStatus = Field(examples=["running"])
    content_ref: str = Field(examples=["chao-mung-den-viet-nam.mp4"])
    content_sha256: str | None = Field(examples=["9f" * 32])
    title_vi: str | None = Field(
        description="Of the content of the catalogue that it is, or pretends to be (altered); null: of none.",
        examples=["Chào mừng quý khách đến Việt Nam"],
    )
    verdict: Verdict | None = Field(
        description="What it is by the catalogue on the day on which it was told; null: the catalogue is empty.",
        examples=["approved"],
    )
    play_id: int = Field(examples=[4711])
    since: datetime = Field(description="When this play began, as far as the hub has seen.")
    time: datetime = Field(description="When the device last told of this screen.")
    facts: FactsSeen

    @classmethod
    def from_row(cls, row: Row, presence: Presence) -> Self:
        """From a row of the query `screens`."""
        facts = {name: row[name] for name in _FACTS}
        heard: Showing = "now" if row["status"] == "running" else "ended"
        showing = heard if presence == "online" else "last_heard"
        return cls(**row, facts=FactsSeen(**facts), grade=grade_of(**facts), showing=showing)


class Queue(Answer):
    """What waits on the kiosk."""

    events: int | None = Field(description="null: not yours to see.", examples=[0])
    oldest_s: int = Field(description="Age of the oldest, in s.", examples=[0])
    full: bool = Field(description="It refuses new events.", examples=[False])
    refused: int = Field(description="Events refused since its start.", examples=[0])


class Device(Answer):
    """A device and its current state."""

    name: str = Field(examples=["bg-20-cma-k1"])
    registered: bool = Field(description="False: it reports, but nobody has registered it.", examples=[True])
    kind: str | None = Field(examples=["kiosk"])
    title_vi: str | None = Field(examples=["Tủ tra cứu sảnh nhập cảnh"])
    site: str | None = Field(examples=["BG-20-CMA"])
    site_vi: str | None = Field(examples=["Chi Ma"])
    province_code: str | None = Field(examples=["20"])
    province_vi: str | None = Field(examples=["Lạng Sơn"])
    presence: Presence = Field(
        description="offline: silent although we listened. unknown: never heard, or we cannot listen.",
        examples=["online"],
    )
    presence_since: datetime | None = Field(description="Begin of the connection that was heard last.")
    seen_at: datetime | None = Field(description="When it was heard last.")
    broker: str | None = Field(description="Where it was heard last.", examples=["127.0.0.1:1883"])
    version: str | None = Field(description="Of the agent.", examples=["0.1.0"])
    first_seen: datetime
    last_event_at: datetime | None = Field(description="Time of its newest event.")
    last_stored_at: datetime | None = Field(description="When that was committed.")
    queue: Queue | None = Field(description="null: it never said.")
    open_incidents: dict[str, int] = Field(
        description="How many are open, by their kind.", examples=[{"content_altered": 1}]
    )
    screens: list[Screen]

    @classmethod
    def from_row(cls, row: Row, screens: Iterable[Row], open_incidents: Mapping[str, int], *, exact: bool) -> Self:
        """From a row of the query `devices`, those of its screens, and its open incidents by kind."""
        told: Row = {name: row[f"queue_{name}"] or 0 for name in Queue.model_fields}
        told["events"] = told["events"] if exact else None
        queue = None if row["queue_events"] is None else Queue(**told)
        shown = [Screen.from_row(screen, row["presence"]) for screen in screens]
        return cls(**row, queue=queue, screens=shown, open_incidents=dict(open_incidents))


class Play(Answer):
    """One slice of a play."""

    time: datetime
    stream: str | None = Field(description="null: not yours to see.", examples=["a1" * 16])
    seq: int | None = Field(description="null: not yours to see.", examples=[1024])
    stored_at: datetime
    clock: ClockState = Field(examples=["synced"])
    play_id: int = Field(examples=[4711])
    slice: int = Field(description="0 opens a play.", examples=[0])
    screen: str = Field(examples=["main"])
    player: str = Field(examples=["mpv"])
    content_ref: str = Field(examples=["chao-mung-den-viet-nam.mp4"])
    content_sha256: str | None = Field(examples=["9f" * 32])
    duration_ms: int = Field(description="Since the previous slice.", examples=[0])
    status: PlayStatus = Field(examples=["running"])
    grade: Grade | None = Field(examples=["panel_on"])
    facts: FactsSeen

    @classmethod
    def from_row(cls, row: Row, *, exact: bool) -> Self:
        """From a row of the query `plays`. `exact`: with the event's number; numbers count acts of visitors."""
        facts = {name: row[name] for name in _FACTS}
        hidden = {} if exact else {"stream": None, "seq": None}
        return cls(**{**row, **hidden}, facts=FactsSeen(**facts), grade=grade_of(**facts))


class Plays(Answer):
    """A page of plays, newest first."""

    plays: list[Play]
    next: str | None = Field(description="Give it as `before` for the next page; null: this was the last.")


class Stream(Answer):
    """What the ledger holds of one stream. Counted rows beside it: ttdn-hub audit."""

    stream: str = Field(examples=["a1" * 16])
    first_seen: datetime
    events: int = Field(description="The highest number that anybody spoke of.", examples=[120])
    committed: list[Span] = Field(examples=[[(1, 118)]])
    holes: list[Span] = Field(description="Neither committed nor declared lost.", examples=[[(119, 119)]])
    lost: list[Span] = Field(description="Declared lost.", examples=[[(120, 120)]])

    @classmethod
    def from_row(cls, row: Row) -> Self:
        """From a row of the query `streams`."""
        committed, lost = multirange.from_sql(row["committed"]), multirange.from_sql(row["lost"])
        events = max((last for numbers in (committed, lost) for _, last in numbers), default=0)
        holes = RangeSet([(1, events)] if events else []).minus(committed).minus(lost)
        spans = {"committed": committed.spans(), "lost": lost.spans(), "holes": holes.spans()}
        return cls(**{**row, **spans}, events=events)


class Me(Answer):
    """Who asks, and what is theirs to see."""

    kind: Literal["person", "token", "local"] = Field(
        description="local: anybody on the hub's own machine, which is open there.", examples=["person"]
    )
    name: str = Field(description="A person's name or a token's key.", examples=["nguyen.an"])
    role: Role | None = Field(description="Of a person.", examples=["staff"])
    scopes: list[Scope] = Field(examples=[["published", "read", "respond", "visitors"]])
    provinces: list[str] | None = Field(
        description="Codes; null: all, and devices that nobody has registered.", examples=[["20"]]
    )
    until: datetime | None = Field(description="When session or token ends, unless the session is used meanwhile.")

    @classmethod
    def from_principal(cls, who: Principal) -> Self:
        """As the API tells it."""
        provinces = None if who.provinces is None else sorted(who.provinces)
        return cls(
            kind=who.kind, name=who.name, role=who.role, scopes=sorted(who.scopes), provinces=provinces, until=who.until
        )


class Readiness(Answer):
    """Whether this hub does its work now."""

    ready: bool = Field(examples=[True])
    reasons: list[str] = Field(description="Why not; told on the hub's own machine only.", examples=[[]])


class Problem(Answer):
    """Why a request was not answered."""

    detail: str = Field(examples=["no device 'bg-20-cma-k9' is known"])
