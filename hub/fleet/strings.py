"""What staff read of configurations and commands, in both languages."""

from __future__ import annotations

from typing import Final

NOTHING_SET: Final = (
    "trung tâm chưa đặt cấu hình nào; thiết bị theo tệp của mình / nothing is set; devices go by their own files"
)
CONFIG_STATES: Final = {
    "in_force": "đang áp dụng / in force",
    "refused": "thiết bị từ chối / refused",
    "sent": "đã gửi / sent",
    "waiting": "chờ kết nối / waiting",
}
OUTCOMES: Final = {
    None: "đang chờ / waiting",
    "done": "đã làm / done",
    "refused": "từ chối / refused",
    "failed": "không làm được / failed",
    "expired": "hết hạn, chưa làm / expired",
    "unanswered": "đã gửi, không có trả lời / unanswered",
    "withdrawn": "đã rút lại / withdrawn",
}
GIVEN: Final = "lệnh {code} cho {device}, hiệu lực đến {expires} UTC / command {code} for {device}, until {expires} UTC"
PICTURE_WRITTEN: Final = "đã ghi ảnh / picture written: {file}"
FILE_EXISTS: Final = "tệp đã có, không ghi đè / the file exists and is not overwritten: {file}"
STILL_WAITING: Final = "chưa có trả lời; xem sau bằng / no answer yet; look later: ttdn-hub command show {code}"
