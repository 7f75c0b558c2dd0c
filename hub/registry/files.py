"""What can be imported: the one place where a kind of file is added."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final, Generic, TypeVar

from hub.registry import activities, campaigns, devices, gates, organisations, points, provinces, sites
from hub.registry.entries import Activity, Campaign, Device, Gate, Organisation, Point, Province, Site
from hub.registry.form import Form
from hub.registry.known import Known
from hub.registry.rows import BadCell, Row

E = TypeVar("E", Province, Organisation, Gate, Site, Point, Device, Campaign, Activity)
Across = Callable[[Sequence[E], Known], Iterator[tuple[int, BadCell]]]


def _nothing(_entries: Sequence[E], _known: Known) -> Iterator[tuple[int, BadCell]]:
    return iter(())


@dataclass(frozen=True, kw_only=True)
class FileKind(Form, Generic[E]):
    """A kind of file: a form, and what a row of it means."""

    read: Callable[[Row, Known], E]
    """BadCell: what is wrong with a row."""
    before: Callable[[E, Known], E | None]
    """The same entry as the registry holds it; None if it is new."""
    touched: Callable[[E, Known], set[str | None]]
    """Provinces whom it concerns; None among them: all."""
    across: Across[E] = _nothing
    """What is wrong with rows beside each other, by the place of a row among them."""


KINDS: Final[tuple[FileKind[Any], ...]] = (
    FileKind(
        name="provinces",
        title_vi="Tỉnh, thành phố",
        columns=provinces.COLUMNS,
        key=("code", "valid_from"),
        read=provinces.read,
        before=provinces.before,
        touched=provinces.touched,
        across=provinces.repeated,
        shipped=files("hub.registry") / "data" / "provinces.csv",
    ),
    FileKind(
        name="organisations",
        title_vi="Cơ quan, đơn vị",
        columns=organisations.COLUMNS,
        key=("agency_code",),
        read=organisations.read,
        before=organisations.before,
        touched=organisations.touched,
        across=organisations.circles,
    ),
    FileKind(
        name="gates",
        title_vi="Cửa khẩu, lối mở",
        columns=gates.COLUMNS,
        key=("code",),
        read=gates.read,
        before=gates.before,
        touched=gates.touched,
    ),
    FileKind(
        name="sites",
        title_vi="Điểm thông tin đối ngoại",
        columns=sites.COLUMNS,
        key=("code",),
        read=sites.read,
        before=sites.before,
        touched=sites.touched,
    ),
    FileKind(
        name="points",
        title_vi="Cửa khẩu có một điểm (gộp)",
        columns=points.COLUMNS,
        key=("code",),
        read=points.read,
        before=points.before,
        touched=points.touched,
        across=points.two_names,
    ),
    FileKind(
        name="devices",
        title_vi="Thiết bị",
        columns=devices.COLUMNS,
        key=("name",),
        read=devices.read,
        before=devices.before,
        touched=devices.touched,
    ),
    FileKind(
        name="campaigns",
        title_vi="Đợt tuyên truyền",
        columns=campaigns.COLUMNS,
        key=("code",),
        read=campaigns.read,
        before=campaigns.before,
        touched=campaigns.touched,
    ),
    FileKind(
        name="activities",
        title_vi="Hoạt động",
        columns=activities.COLUMNS,
        key=("code",),
        read=activities.read,
        before=activities.before,
        touched=activities.touched,
    ),
)


def kind_of(name: str) -> FileKind[Any]:
    """By its name. LookupError if there is none."""
    for kind in KINDS:
        if kind.name == name:
            return kind
    raise LookupError(f"no kind of file {name!r}; there are: {', '.join(kind.name for kind in KINDS)}")
