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

VERDICTS: Final = {
    "approved": "Đã phê duyệt",
    "expired": "Hết hạn phê duyệt",
    "not_yet_valid": "Chưa đến ngày được phát",
    "unknown": "Ngoài danh mục đã duyệt",
    "altered": "Khác bản đã duyệt",
}
"""What a play is by the catalogue, by `hub.compliance.verdict.Verdict`."""

NO_CATALOGUE: Final = "Chưa có danh mục để đối chiếu"

VERDICT_HINTS: Final = {
    "approved": "đúng bản đã duyệt, phát trong thời hạn.",
    "expired": "bản này đã được duyệt nhưng đã hết hạn hoặc bị rút phê duyệt.",
    "not_yet_valid": "bản này đã được duyệt nhưng chưa đến ngày bắt đầu.",
    "unknown": "không có trong danh mục, hoặc có trong danh mục mà chưa có văn bản phê duyệt.",
    "altered": "tên có trong danh mục nhưng tệp khác mọi bản đã duyệt.",
}

FULFILMENTS: Final = {
    "enough": "Phát đủ",
    "too_little": "Phát chưa đủ",
    "not_at_all": "Không phát",
    "unknown": "Chưa đủ dữ liệu để kết luận",
}
"""How a window of a plan stands, by `hub.compliance.fulfilment.Result`."""

UNKNOWN_REASONS: Final = {
    "hole": "Khoảng thiếu dữ liệu",
    "declared_loss": "Dữ liệu mất đã ghi nhận",
    "silence": "Thiết bị không ghi nhận gì",
    "late": "Dữ liệu chưa về",
}
"""Why a time is unknown, by `hub.compliance.coverage.Reason`."""

SUPPRESSED: Final = "Ẩn do số lượng nhỏ"
"""Flag `c` of a published figure."""

KINDS: Final = {"kiosk": "Tủ tra cứu", "led": "Màn hình LED", "tv": "Màn hình TV", "loa": "Loa"}

GATE_TYPES: Final = {
    "quoc_te": "Cửa khẩu quốc tế",
    "chinh": "Cửa khẩu chính",
    "phu": "Cửa khẩu phụ",
    "loi_mo": "Lối mở",
    "loi_thong_quan": "Lối thông quan",
    "duong_chuyen_dung": "Đường chuyên dụng",
}

NEIGHBOURS: Final = {"CN": "Trung Quốc", "LA": "Lào", "KH": "Campuchia"}

SITE_STATUSES: Final = {
    "planned": "Dự kiến",
    "operating": "Đang hoạt động",
    "suspended": "Tạm dừng",
    "closed": "Đã đóng",
}

FUNDINGS: Final = {"ngan_sach_dia_phuong": "Ngân sách địa phương", "xa_hoi_hoa": "Xã hội hóa"}

ACTIVITIES: Final = {
    "tap_huan": "Lớp tập huấn",
    "hoi_nghi": "Hội nghị, hội thảo",
    "trien_lam": "Triển lãm",
    "giao_luu": "Giao lưu biên giới",
    "khac": "Hoạt động khác",
}
"""Kinds of activities."""

INCIDENT_WAITS: Final = "Chưa ai tiếp nhận"
INCIDENT_IN_HAND: Final = "Đã có người tiếp nhận"
INCIDENT_IN_HAND_OF: Final = "{name} đã tiếp nhận"
"""Who has an incident in hand; what happened is said by `hub.notices.message.KINDS`."""

OPEN_INCIDENTS: Final = "Sự cố đang mở"
