"""What people read when a device is moved, in both languages: what became of it, and why it is refused."""

from __future__ import annotations

from typing import Final

NO_SITE: Final = "không có điểm {site!r}; xem / no such site; see: ttdn-hub registry list"
NO_DEVICE: Final = "không có thiết bị {device!r}; xem / no such device; see: ttdn-hub registry list"
NO_MOMENT: Final = "--since {since!r}: cần {expected} / not a time, such as 31/12/2025 08:00"
FAR_OFF: Final = (
    "--since {since} còn hơn {most} ngày nữa mới đến; kiểm tra năm, hoặc thêm --far nếu đúng như vậy"
    " / that is more than {most} days ahead: check the year, or add --far if it is meant"
)
MOVED: Final = "{device}: chuyển đến {site} {since} / moved to {site} from then on, local time"
STANDS: Final = "{device}: đã ở {site} {since} / stands already at {site} since then, local time"
