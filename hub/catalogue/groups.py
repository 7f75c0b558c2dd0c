"""Groups of devices that a plan can name: one row of `groups.csv` each, with all members."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Final, NamedTuple

from hub.catalogue import cells
from hub.registry.cells import CODE_VI, code
from hub.registry.columns import Column
from hub.registry.form import Form
from hub.registry.rows import BadCell, Row, read_table, required

_COLUMNS: Final = (
    Column("code", "Mã nhóm", CODE_VI, "NHOM-LED", needed=True),
    Column("name_vi", "Tên nhóm", "tên đầy đủ, có dấu", "Màn hình LED các cửa khẩu quốc tế", needed=True),
    Column("devices", "Thiết bị", "tên các thiết bị, cách nhau bằng dấu cách", "led-1 led-2", needed=True),
)
FORM: Final = Form(name="groups", title_vi="Nhóm thiết bị", columns=_COLUMNS, key=("code",))


class Group(NamedTuple):
    """Devices that are planned for together."""

    code: str
    name_vi: str
    devices: tuple[str, ...]
    """Names, sorted."""


def read_groups(data: bytes, devices: AbstractSet[str]) -> list[Group]:
    """The groups of a file; ImportRefused with every problem. `devices` are the names that are registered."""
    return read_table(data, FORM.columns, lambda row: _group(row, devices), FORM.key)


def _group(row: Row, devices: AbstractSet[str]) -> Group:
    names = cells.words(row, "devices")
    strangers = [name for name in names if name not in devices]
    if strangers:
        raise BadCell("devices", f"{strangers[0]!r} chưa đăng ký; nhập tệp devices trước, hoặc sửa tên thiết bị")
    if not names:
        raise BadCell("devices", "để trống; cần tên các thiết bị, cách nhau bằng dấu cách")
    return Group(code(row), required(row, "name_vi"), tuple(sorted(names)))
