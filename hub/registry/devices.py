"""Devices that ought to report, and where each stands."""

from __future__ import annotations

from typing import Final

from contract.ids import is_device_id
from hub.registry.cells import CODE_VI, LOCAL, MOMENT_VI, moment
from hub.registry.columns import Choice, Column
from hub.registry.device_names import may_be_device
from hub.registry.entries import Device
from hub.registry.known import Known
from hub.registry.rows import BadCell, Row, one_of, optional, required
from hub.strings import KINDS

KIND_CHOICES: Final = tuple(Choice(*one) for one in KINDS.items())
_NAME_VI: Final = "chữ thường không dấu, số, '-', tối đa 63 ký tự"
_SINCE_VI: Final = (
    f"{MOMENT_VI}: thiết bị đặt tại điểm này từ giờ đó (tính tròn giờ); để trống: thiết bị mới thì từ đầu, "
    "thiết bị chuyển chỗ thì từ giờ này"
)
COLUMNS: Final = (
    Column("name", "Tên thiết bị", f"{_NAME_VI}, đúng tên mà thiết bị báo về", "bg-20-cma-k1", needed=True),
    Column("kind", "Loại thiết bị", "một loại trong danh sách", "kiosk", needed=True, choices=KIND_CHOICES),
    Column("site", "Mã điểm", f"{CODE_VI}, đã có trong danh sách điểm", "BG-20-CMA", needed=True),
    Column("title_vi", "Tên gọi", "tên để người xem nhận ra thiết bị", "Tủ tra cứu sảnh nhập cảnh"),
    Column("since", "Đặt tại đây từ", _SINCE_VI, "01/07/2025 08:00", may_lack=True, holds="date"),
)


def read(row: Row, known: Known) -> Device:
    """A device of a file. BadCell."""
    name = required(row, "name")
    if not is_device_id(name):
        raise BadCell("name", f"{name!r} không hợp lệ; cần {_NAME_VI}")
    if not may_be_device(name):
        raise BadCell("name", f"{name!r} là tên dành riêng của hệ thống; chọn tên khác")
    kind, title_vi, since = one_of(row, "kind", KIND_CHOICES), optional(row, "title_vi"), moment(row, "since")
    site = required(row, "site")
    if site not in known.sites:
        raise BadCell("site", f"{site!r} chưa có trong danh sách điểm; nhập tệp sites hoặc points trước, hoặc sửa mã")
    return Device(name, kind, site, title_vi, since)


def before(entry: Device, known: Known) -> Device | None:
    """The same as it is known of the moment from which the row holds; of one only heard of, nothing is known."""
    device = known.devices.get(entry.name)
    if device is None:
        return None
    site = device.at(entry.since or known.now)
    return Device(entry.name, device.kind or "", site or "", device.title_vi, entry.since)


def touched(entry: Device, known: Known) -> set[str | None]:
    """Where it shall stand, stands now, and stood from then on."""
    since = entry.since or known.now
    places = {(entry.site, since)}
    if (device := known.devices.get(entry.name)) is not None:
        places |= {(site, when) for when in (since, known.now) if (site := device.at(when)) is not None}
    return {known.province_of_site(site, when.astimezone(LOCAL).date()) for site, when in places}
