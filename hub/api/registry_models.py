"""What the API answers of the registry: days are local (Asia/Ho_Chi_Minh), moments in UTC."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal, Self

from pydantic import Field

from hub.api.models import Answer
from hub.registry.plan import Plan

_VALID_FROM = "null: from the beginning, as far as anybody has said."
_VALID_UNTIL = "The first day on which it is no more; null: nobody has said."


class Province(Answer):
    """A province from a day on; another one may have had the same code before."""

    code: str = Field(examples=["20"])
    name_vi: str = Field(examples=["Lạng Sơn"])
    valid_from: date | None = Field(description=_VALID_FROM)
    valid_until: date | None = Field(description=_VALID_UNTIL)
    merged_into: str | None = Field(examples=["08"])


class Organisation(Answer):
    """By its agency code."""

    agency_code: str = Field(examples=["H37.16"])
    name_vi: str = Field(examples=["Sở Văn hóa, Thể thao và Du lịch"])
    province: str | None = Field(description="null: a national one.", examples=["20"])
    parent: str | None = Field(examples=["H37"])
    valid_from: date | None = Field(description=_VALID_FROM)
    valid_until: date | None = Field(description=_VALID_UNTIL)


class GatePeriod(Answer):
    """Type and province hold until the next period begins."""

    since: date | None = Field(description=_VALID_FROM)
    until: date | None = Field(description="The first day of the next period; null: there is none.")
    gate_type: str = Field(examples=["chinh"])
    province_code: str = Field(examples=["20"])


class Gate(Answer):
    """A border gate or crossing, as it is on the day that was asked for."""

    code: str = Field(examples=["BG-20-CMA"])
    name_vi: str = Field(examples=["Chi Ma"])
    neighbour: str = Field(examples=["CN"])
    gate_type: str = Field(examples=["chinh"])
    province_code: str = Field(examples=["20"])
    province_vi: str | None = Field(examples=["Lạng Sơn"])
    since: date | None = Field(description=f"Since when type and province are these. {_VALID_FROM}")
    lat: float | None = Field(description="Degrees, WGS 84; see confidence.", examples=[21.8111])
    lon: float | None = Field(description="Degrees, WGS 84; see confidence.", examples=[107.0488])
    confidence: str = Field(description="Where type and coordinate are from.", examples=["W/M"])
    sites: int = Field(description="Information points at it.", examples=[1])
    periods: list[GatePeriod] = Field(description="All that is known, the day that was asked for or not.")


class OpenSpan(Answer):
    """Minutes of a local day; 0 to 0: closed on that day."""

    weekday: int = Field(description="1 is Monday.", examples=[1])
    opens_min: int = Field(examples=[420])
    closes_min: int = Field(examples=[690])


class RegisteredSite(Answer):
    """An information point, with type and province of its gate on the day that was asked for."""

    code: str = Field(examples=["BG-20-CMA"])
    name_vi: str = Field(examples=["Chi Ma"])
    gate: str = Field(examples=["BG-20-CMA"])
    gate_vi: str = Field(examples=["Chi Ma"])
    status: Literal["planned", "operating", "suspended", "closed"] = Field(examples=["operating"])
    invested_at: date | None
    funding: Literal["ngan_sach_dia_phuong", "xa_hoi_hoa"] | None = Field(examples=["xa_hoi_hoa"])
    organisation: str | None = Field(description="Agency code of the owner.", examples=["H37.16"])
    gate_type: str = Field(examples=["chinh"])
    province_code: str = Field(examples=["20"])
    province_vi: str | None = Field(examples=["Lạng Sơn"])
    neighbour: str = Field(examples=["CN"])
    since: date | None = Field(description=f"Since when type and province are these. {_VALID_FROM}")
    lat: float | None = Field(examples=[21.8111])
    lon: float | None = Field(examples=[107.0488])
    surveyed: bool = Field(description="The coordinates are the site's own; else its gate's.", examples=[False])
    confidence: str = Field(description="Where the gate's type and coordinate are from.", examples=["W/M"])
    opening_hours: list[OpenSpan] = Field(description="A weekday without a span: nobody has said.")
    devices: int = Field(description="Devices that stand there on that day.", examples=[2])


class Placement(Answer):
    """Where a device stood from a moment until another; rows and counts carry the number."""

    placement: int = Field(examples=[17])
    since: datetime | None = Field(description=_VALID_FROM)
    until: datetime | None = Field(description="null: there is no later one.")
    site: str | None = Field(description="null: nobody has said where.", examples=["BG-20-CMA"])
    site_vi: str | None = Field(examples=["Chi Ma"])
    province_code: str | None = Field(examples=["20"])


class RegisteredDevice(Answer):
    """A device and the history of its places."""

    name: str = Field(examples=["bg-20-cma-k1"])
    kind: str | None = Field(examples=["kiosk"])
    title_vi: str | None = Field(examples=["Tủ tra cứu sảnh nhập cảnh"])
    registered_at: datetime | None = Field(description="null: it reports, but nobody has registered it.")
    first_seen: datetime
    site: str | None = Field(description="Where it stands at the end of the day that was asked for, or now.")
    site_vi: str | None
    province_code: str | None
    placements: list[Placement]


class Campaign(Answer):
    """A stretch of days, both included, for a subject."""

    code: str = Field(examples=["DT-2025-01"])
    name_vi: str = Field(examples=["Kỷ niệm 80 năm Quốc khánh"])
    begins_on: date
    ends_on: date
    organisation: str | None = Field(examples=["H37.16"])
    organisation_vi: str | None
    province: str | None = Field(description="Of the organisation; null: national.", examples=["20"])
    document: str | None = Field(examples=["123/KH-SVHTTDL ngày 01/08/2025"])


class Activity(Answer):
    """A training class or the like; how many came, and nobody's name."""

    code: str = Field(examples=["TH-2025-01"])
    kind: str = Field(examples=["tap_huan"])
    name_vi: str = Field(examples=["Tập huấn vận hành tủ tra cứu"])
    place: str = Field(examples=["Thành phố Lạng Sơn"])
    held_on: date
    people: int = Field(examples=[45])
    organisation: str = Field(examples=["H37.16"])
    organisation_vi: str
    province: str | None = Field(examples=["20"])


class FieldChange(Answer):
    """As people write it."""

    old: str | None = Field(examples=["chinh"])
    new: str | None = Field(examples=["quoc_te"])


class RowChange(Answer):
    """What a row of the file does."""

    row: int = Field(examples=[2])
    key: str = Field(examples=["BG-20-CMA"])
    what: Literal["added", "changed"]
    since: str | None = Field(description="From when it holds, if the row says so.", examples=["01/07/2025"])
    fields: dict[str, FieldChange]


class RowProblem(Answer):
    """What is wrong in the file, and what is expected."""

    row: int | None = Field(description="null: the file as a whole.", examples=[2])
    column: str | None = Field(description="As the file calls it.", examples=["Mã tỉnh"])
    problem: str = Field(examples=["'4' không hợp lệ; cần hai chữ số, như 04 (Excel hay bỏ mất số 0 ở đầu)"])


class ImportAnswer(Answer):
    """What a file did (`taken`), or would do."""

    kind: str = Field(examples=["gates"])
    taken: bool = Field(description="It is in the registry now; else nothing of it is.", examples=[False])
    added: int = Field(examples=[1])
    changed: int = Field(examples=[2])
    unchanged: int = Field(examples=[26])
    changes: list[RowChange]
    problems: list[RowProblem] = Field(description="With a single one nothing of the file is taken.")

    @classmethod
    def from_plan(cls, plan: Plan, *, taken: bool) -> Self:
        """As the API tells it."""
        told: dict[str, Any] = plan.as_json()
        return cls(**told, taken=taken)
