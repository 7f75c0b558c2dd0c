"""Why nobody can take an incident in hand or close it, in both languages."""

from __future__ import annotations

from typing import Final

NO_INCIDENT: Final = "không có sự cố số {number}; xem / there is no incident {number}; see: ttdn-hub incident list"
IN_HAND: Final = "sự cố số {number} đã có {by} tiếp nhận / incident {number} is in the hands of {by} already"
CLOSED_BY: Final = "sự cố số {number} đã được {by} đóng / incident {number} was closed by {by}"
CLOSED_BY_HUB: Final = "sự cố số {number} đã được hệ thống đóng / incident {number} was closed by the hub"
NOBODY: Final = "cần ghi rõ tên người xử lý / an incident is taken in hand by a person: name them"
ACKNOWLEDGED: Final = "sự cố số {number}: {by} tiếp nhận / incident {number} is in the hands of {by}"
CLOSED: Final = "sự cố số {number}: {by} đóng / incident {number} is closed by {by}"
