"""What may be shown and what must be: subjects, contents, their versions, what changes made of the past, plan."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Final, Literal, Self

from fastapi import APIRouter, HTTPException, Query, Response
from fastapi import Path as PathParameter
from pydantic import Field

from hub.api import template
from hub.api.access import Reading
from hub.api.models import Answer, Problem
from hub.api.question import Questions
from hub.api.v1 import CODE, PROBLEMS, Limit
from hub.catalogue.contents import Kind, Priority
from hub.catalogue.forms import FORMS, CatalogueForm, PlanForm
from hub.catalogue.plan_items import TargetKind
from hub.compliance.plan import Unit
from hub.compliance.verdict import Verdict
from hub.store.readers import Row

_ABSENT: Final[dict[int | str, dict[str, Any]]] = {404: {"model": Problem, "description": "No such content."}}
Deed = Literal["imported", "withdrawn", "deleted", "restored", "resolved"]
ContentCode = Annotated[str, PathParameter(pattern=CODE, examples=["ND-2026-015"])]
Number = Annotated[int, Query(ge=1, le=2**63 - 1)]


class TopicAnswer(Answer):
    """A subject, as one letter of the ministry names it."""

    code: str = Field(examples=["hinh_anh_van_hoa"])
    label_vi: str = Field(examples=["Hình ảnh, văn hóa các dân tộc Việt Nam"])
    letter: str | None = Field(description="null: ours, not in a letter.", examples=["5406/BTTTT-TTĐN"])
    section: str | None = Field(examples=["2"])
    valid_from: date
    valid_until: date | None


class ContentAnswer(Answer):
    """What a content is said to be by its newest version. Days are local (UTC+7)."""

    code: str = Field(examples=["ND-2026-015"])
    version: int = Field(examples=[2])
    title_vi: str = Field(examples=["Lễ hội Lồng Tồng"])
    title_foreign: str | None = Field(examples=["Long Tong festival"])
    title_language: str | None = Field(description="BCP 47, of the foreign title.", examples=["en"])
    language: str = Field(description="BCP 47, of the content; zxx: without words, mul: several.", examples=["vi"])
    topic: str = Field(examples=["hinh_anh_van_hoa"])
    kind: Kind = Field(examples=["video"])
    priority: Priority = Field(examples=["thong_thuong"])
    approval_no: str | None = Field(description="null: nobody answers for it yet.", examples=["12/QĐ-SVHTTDL"])
    approval_body: str | None = Field(examples=["Sở VHTTDL Lạng Sơn"])
    approval_date: date | None
    valid_from: date
    valid_until: date | None = Field(description="The last day; null: until further notice.")
    withdrawn_on: date | None = Field(description="The first day on which its approval no longer holds.")
    refs: list[str] = Field(description="Names that players call it by.", examples=[["le-hoi-long-tong_vi.mp4"]])
    source: str | None = Field(examples=["https://vietnam.vn/le-hoi-long-tong"])
    media_sha256: str | None = Field(examples=["9f" * 32])
    frame_hash: str | None = Field(description="Of a reference frame, 64 bits.", examples=["0f1e2d3c4b5a6978"])
    recorded_at: datetime
    recorded_by: str = Field(examples=["command:an"])
    deleted_at: datetime | None = Field(description="It was a mistake: for plays, it never was.")


class VersionAnswer(ContentAnswer):
    """One version."""

    in_force: bool = Field(description="false: a later version of the same medium took its place.", examples=[True])


class SeenAnswer(Answer):
    """What was seen that rests on a content, and what it is on which days."""

    content_ref: str = Field(examples=["le-hoi-long-tong_vi.mp4"])
    content_sha256: str | None = Field(examples=["9f" * 32])
    first_day: date = Field(description="First day; 0001-01-01: from ever.")
    last_day: date = Field(description="Last day; 9999-12-31: for ever.")
    verdict: Verdict = Field(examples=["approved"])
    version: int = Field(examples=[2])
    first_seen: datetime


class ContentHistory(Answer):
    """A content with all that was ever said of it."""

    code: str = Field(examples=["ND-2026-015"])
    deleted_at: datetime | None
    versions: list[VersionAnswer] = Field(description="Oldest first.")
    seen: list[SeenAnswer]


class FindingAnswer(Answer):
    """A verdict, and the version that it rests on."""

    verdict: Verdict = Field(examples=["approved"])
    code: str | None = Field(examples=["ND-2026-015"])
    version: int | None = Field(examples=[2])


class ResolutionChange(Answer):
    """Days that had one verdict and have another, because the catalogue changed."""

    id: int = Field(examples=[17])
    at: datetime
    who: str = Field(examples=["command:an"])
    deed: Deed = Field(examples=["imported"])
    reason: str | None
    content_ref: str = Field(examples=["le-hoi-long-tong_vi.mp4"])
    content_sha256: str | None = Field(examples=["9f" * 32])
    first_day: date = Field(description="First day; 0001-01-01: from ever.")
    last_day: date = Field(description="Last day; 9999-12-31: for ever.")
    before: FindingAnswer
    after: FindingAnswer

    @classmethod
    def from_row(cls, row: Row) -> Self:
        """From a row of the query `changes`."""
        before, after = (
            FindingAnswer(**{name: row[f"{side}_{name}"] for name in FindingAnswer.model_fields})
            for side in ("old", "new")
        )
        return cls(**row, before=before, after=after)


class ResolutionChanges(Answer):
    """A page of changes, newest first."""

    changes: list[ResolutionChange]
    next: int | None = Field(description="Give it as `before` for the next page; null: this was the last.")


class PlanItemAnswer(Answer):
    """What must be shown where, in which windows of local time, at least how often."""

    code: str = Field(examples=["KH-2026-01"])
    campaign: str | None = Field(examples=["TT-2-9"])
    target_kind: TargetKind = Field(examples=["site"])
    target: str = Field(description="Code of a site or group, or name of a device.", examples=["BG-20-CMA"])
    devices: list[str] = Field(description="That it is for now, each of them.", examples=[["bg-20-cma-l1"]])
    contents: list[str] = Field(description="Any of these; empty: any of the topic.", examples=[["ND-2026-015"]])
    topic: str | None
    first_day: date
    last_day: date
    weekdays: list[int] = Field(description="ISO: Monday is 1.", examples=[[1, 2, 3, 4, 5]])
    hours: list[int] = Field(description="Local; 7: from 07:00 to 08:00.", examples=[[7, 8, 9, 10]])
    unit: Unit = Field(examples=["plays_per_hour"])
    least: int = Field(description="Plays or seconds, in each window.", examples=[4])
    languages: dict[str, int] = Field(description="Percent of that, by BCP 47 tag.", examples=[{"vi": 40, "zh": 30}])
    shortest_play_ms: int | None
    screens: int = Field(examples=[1])
    recorded_at: datetime

    @classmethod
    def from_row(cls, row: Row) -> Self:
        """From a row of the query `plan`."""
        return cls(**row | {"contents": row["contents"] or [], "devices": row["devices"] or []})


def router(questions: Questions) -> APIRouter:
    """The endpoints below /api/v1."""
    api = APIRouter(prefix="/api/v1", responses=PROBLEMS)
    _catalogue(api, questions)
    _history(api, questions)
    return api


def _catalogue(api: APIRouter, questions: Questions) -> None:
    @api.get("/topics", tags=["catalogue"], summary="Subjects of contents, of all letters")
    def topics(who: Reading) -> list[TopicAnswer]:
        with questions.ask(who.provinces) as question:
            return [TopicAnswer(**row) for row in question.reader.topics()]

    @api.get("/contents", tags=["catalogue"], summary="Contents as they are said to be now, by code")
    def contents(
        who: Reading,
        limit: Limit = 100,
        after: Annotated[str, Query(description="The last code of the page before.", max_length=48)] = "",
        topic: Annotated[str | None, Query(description="Only of this subject.", max_length=48)] = None,
        *,
        deleted: Annotated[bool, Query(description="Those that were deleted, instead.")] = False,
    ) -> list[ContentAnswer]:
        with questions.ask(who.provinces) as question:
            rows = question.reader.contents(after, limit, topic, deleted=deleted)
        return [ContentAnswer(**row) for row in rows]

    @api.get("/catalogue/template/{name}.{form}", tags=["catalogue"], summary=template.SUMMARY)
    def empty(_who: Reading, name: CatalogueForm | PlanForm, form: template.Ending) -> Response:
        return template.hand_out(FORMS[name], form)

    @api.get("/plan", tags=["catalogue"], summary="What must be shown where, when, and how often")
    def plan(who: Reading) -> list[PlanItemAnswer]:
        with questions.ask(who.provinces) as question:
            return [PlanItemAnswer.from_row(row) for row in question.reader.plan()]


def _history(api: APIRouter, questions: Questions) -> None:
    @api.get("/contents/{code}", tags=["catalogue"], summary="One content with all its versions", responses=_ABSENT)
    def content(who: Reading, code: ContentCode) -> ContentHistory:
        with questions.ask(who.provinces) as question:
            rows, seen = question.reader.content_versions(code), question.reader.seen(code)
        if not rows:
            raise HTTPException(404, f"no content {code!r} is known")
        return ContentHistory(
            code=code,
            deleted_at=rows[0]["deleted_at"],
            versions=[VersionAnswer(**row) for row in rows],
            seen=[SeenAnswer(**row) for row in seen],
        )

    @api.get("/resolution-changes", tags=["catalogue"], summary="Verdicts that a change of the catalogue changed")
    def changes(
        who: Reading,
        limit: Limit = 100,
        before: Annotated[Number | None, Query(description="`next` of the page before.")] = None,
        code: Annotated[str | None, Query(description="Only of this content.", max_length=48)] = None,
    ) -> ResolutionChanges:
        with questions.ask(who.provinces) as question:
            rows = question.reader.resolution_changes(limit, before, code)
        found = [ResolutionChange.from_row(row) for row in rows]
        return ResolutionChanges(changes=found, next=found[-1].id if len(found) == limit else None)
