"""What people read, in Vietnamese: one table for grades, facts, states and kinds."""

from __future__ import annotations

from typing import Final

GRADES: Final = {
    "scheduled": "Có trong lịch phát",
    "reported": "Trình phát báo đang phát",
    "rendering": "Đang chạy hình",
    "panel_on": "Đang chạy hình, màn hình bật",
    "frame_match": "Đúng hình trên màn hình",
    "not_shown": "Không hiển thị",
    None: "Chưa có dữ liệu",
}
"""Grades of a play, by `hub.grade.Grade`."""

GRADE_HINTS: Final = {
    "scheduled": "chỉ biết là có trong danh sách phát.",
    "reported": "phần mềm phát nói là đang phát; chưa quan sát được hình chạy.",
    "rendering": "quan sát được hình hoặc vị trí phát thay đổi.",
    "panel_on": "hình chạy và màn hình được biết là đang bật.",
    "frame_match": "khung hình thực tế khớp với nội dung.",
    "not_shown": "màn hình tắt, khung hình khác, hoặc mọi điều biết được đều cho thấy không phát.",
    None: "không có quan sát nào; không có nghĩa là không hiển thị.",
}

PRESENCE: Final = {"online": "Đang kết nối", "offline": "Mất kết nối", "unknown": "Không rõ kết nối"}

PRESENCE_NEVER: Final = "Chưa từng kết nối"

PRESENCE_HINTS: Final = {
    "online": "",
    "offline": "Thiết bị im lặng; nội dung dưới đây là lần báo cuối cùng.",
    "unknown": "Trung tâm không nghe được kênh của thiết bị này; không kết luận là mất kết nối.",
}

PLAY_STATUS: Final = {
    "running": "Đang phát",
    "success": "Đã phát xong",
    "hardware_failure": "Dừng do lỗi thiết bị",
    "content_failure": "Dừng do lỗi nội dung",
    "interrupted": "Bị ngắt",
}

FACTS: Final = {
    "listed": "Lịch phát",
    "reported": "Trình phát báo",
    "rendering": "Hình chạy",
    "panel": "Màn hình",
    "frame": "Khung hình",
}

FACT_VALUES: Final = {
    ("listed", True): "có",
    ("listed", False): "không có",
    ("reported", True): "đang phát",
    ("reported", False): "không phát",
    ("rendering", True): "có chạy",
    ("rendering", False): "đứng hình",
    ("panel", "on"): "bật",
    ("panel", "off"): "tắt",
    ("frame", "match"): "khớp",
    ("frame", "mismatch"): "không khớp",
}
UNKNOWN: Final = "chưa rõ"

KINDS: Final = {"kiosk": "Tủ tra cứu", "led": "Màn hình LED", "tv": "Màn hình TV", "loa": "Loa"}

GATE_TYPES: Final = {
    "quoc_te": "Cửa khẩu quốc tế",
    "chinh": "Cửa khẩu chính",
    "phu": "Cửa khẩu phụ",
    "loi_mo": "Lối mở",
    "loi_thong_quan": "Lối thông quan",
    "duong_chuyen_dung": "Đường chuyên dụng",
}

INCIDENTS: Final = {
    "cloned_device": "Hai thiết bị dùng chung một tên",
    "hub_rollback": "Trung tâm thiếu dữ liệu đã từng nhận",
    "stream_too_ragged": "Dữ liệu của thiết bị quá rời rạc",
    "rejected_event": "Có dữ liệu chưa đọc được",
}
