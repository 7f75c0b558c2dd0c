"""Devices that ought to report: one row of `devices.csv` each."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Final, NamedTuple

from contract.ids import is_device_id
from hub.registry.rows import BadCell, Row, one_of, optional, read_csv, required

COLUMNS: Final = ("name", "kind", "site", "title_vi")
KINDS: Final = ("kiosk", "led", "tv", "loa")


class Device(NamedTuple):
    """A device by the name that it reports under, and where it stands."""

    name: str
    kind: str
    site: str
    title_vi: str | None


def read_devices(data: bytes, sites: AbstractSet[str]) -> list[Device]:
    """The devices of a file; ImportRefused with every problem. `sites` are the codes that are registered."""
    return read_csv(data, COLUMNS, lambda row: _device(row, sites), key="name")


def _device(row: Row, sites: AbstractSet[str]) -> Device:
    name = required(row, "name")
    if not is_device_id(name):
        raise BadCell("name", f"{name!r} không hợp lệ; cần chữ thường không dấu, số, '-', tối đa 63 ký tự")
    site = required(row, "site")
    if site not in sites:
        raise BadCell("site", f"{site!r} chưa có trong danh sách điểm; nhập sites.csv trước, hoặc sửa mã điểm")
    return Device(name, one_of(row, "kind", KINDS), site, optional(row, "title_vi"))
