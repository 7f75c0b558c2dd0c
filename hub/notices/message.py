"""What a notice says, in Vietnamese: what happened, where, since when, what to do. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Final, NamedTuple

_LOCAL: Final = timezone(timedelta(hours=7))


class Meaning(NamedTuple):
    """Of one kind of incident, for people."""

    title: str
    advice: str


KINDS: Final[dict[str, Meaning]] = {
    "content_unknown": Meaning(
        "Đang phát nội dung chưa được duyệt",
        "Dừng nội dung này trên thiết bị, hoặc bổ sung văn bản phê duyệt vào danh mục nếu nội dung đã được duyệt.",
    ),
    "content_altered": Meaning(
        "Nội dung đang phát khác bản đã duyệt",
        "Dừng nội dung này và thay bằng đúng tệp đã duyệt; kiểm tra ai đã thay tệp trên thiết bị.",
    ),
    "content_expired": Meaning(
        "Đang phát nội dung đã hết thời hạn",
        "Gỡ nội dung khỏi danh sách phát, hoặc gia hạn phê duyệt trong danh mục.",
    ),
    "content_not_yet_valid": Meaning(
        "Đang phát nội dung chưa đến thời hạn",
        "Gỡ nội dung khỏi danh sách phát cho đến ngày được phép, hoặc sửa thời hạn trong danh mục.",
    ),
    "cloned_device": Meaning(
        "Hai thiết bị cùng dùng một tên",
        "Có thẻ nhớ bị sao chép hoặc bản cài cũ được dùng lại: tắt một thiết bị và cài lại từ đầu.",
    ),
    "code_misused": Meaning(
        "Mã đăng ký thiết bị bị dùng lần thứ hai",
        "Có người khác biết mã này, hoặc thẻ nhớ đã thay: kiểm tra thiết bị; nếu không rõ, thu hồi và cấp mã mới.",
    ),
    "revoked_device": Meaning(
        "Thiết bị đã thu hồi vẫn gửi dữ liệu",
        "Dữ liệu không được nhận. Máy chủ MQTT chưa dùng danh sách thu hồi mới: báo quản trị (ttdn-hub pki status).",
    ),
    "restored_image": Meaning(
        "Thẻ nhớ của thiết bị đã trở về trạng thái cũ",
        "Có người đã khôi phục hoặc sao chép ảnh thẻ nhớ cũ: hỏi kỹ thuật viên tại điểm; nếu hai thiết bị dùng chung"
        " một ảnh, tắt một thiết bị và cài lại từ đầu.",
    ),
    "hub_rollback": Meaning(
        "Máy chủ thiếu dữ liệu đã từng nhận",
        "Cơ sở dữ liệu có thể đã được khôi phục từ bản sao lưu cũ: kiểm tra với quản trị hệ thống.",
    ),
    "stream_too_ragged": Meaning(
        "Dữ liệu của thiết bị đến quá rời rạc",
        "Kiểm tra thẻ nhớ và đường truyền của thiết bị; báo quản trị hệ thống.",
    ),
    "rejected_event": Meaning(
        "Có dữ liệu mà máy chủ chưa đọc được",
        "Dữ liệu được giữ nguyên; nâng cấp máy chủ rồi chạy: ttdn-hub rejected retry.",
    ),
    "config_refused": Meaning(
        "Thiết bị từ chối cấu hình từ trung tâm",
        "Xem lý do bằng: ttdn-hub fleet config TÊN-THIẾT-BỊ; sửa cấu hình. Thiết bị vẫn chạy theo cấu hình cũ.",
    ),
    "config_stale": Meaning(
        "Thiết bị không nhận cấu hình mới từ trung tâm",
        "Thiết bị kết nối nhưng vẫn giữ cấu hình cũ: có thể phần mềm quá cũ, cần cập nhật phần mềm thiết bị.",
    ),
    "rollout_halted": Meaning(
        "Đợt cập nhật phần mềm đã tự dừng",
        "Thiết bị lỗi vẫn chạy phiên bản cũ; các thiết bị khác chưa được cập nhật. Xem lý do bằng: ttdn-hub rollout"
        " status SỐ-ĐỢT. Khi đã khắc phục: ttdn-hub rollout resume; nếu bỏ phiên bản này: ttdn-hub rollout stop.",
    ),
}
"""Every kind of incident that the hub raises."""


@dataclass(frozen=True)
class Told:
    """An incident, as much of it as a notice says."""

    id: int
    kind: str
    device: str
    subject: str
    site: str | None
    """Name of the information point; None: nobody has said where the device stands."""
    province: str | None
    opened_at: datetime
    last_at: datetime
    times: int
    detail: Mapping[str, Any]


@dataclass(frozen=True)
class Message:
    """What goes out: a line, and a text of several."""

    subject: str
    body: str


def message(incident: Told) -> Message:
    """The notice of one incident."""
    meaning = KINDS.get(incident.kind, Meaning(incident.kind, "Báo quản trị hệ thống."))
    where = ", ".join(part for part in (incident.site, incident.province) if part) or "chưa khai báo điểm đặt"
    lines = [
        f"Sự cố số {incident.id}: {meaning.title}",
        "",
        f"Thiết bị: {incident.device}",
        f"Nơi đặt: {where}",
        *([f"Nội dung: {incident.subject}"] if incident.subject else []),
        *_facts(incident),
        f"Từ lúc: {_local(incident.opened_at)}",
        f"Gần nhất: {_local(incident.last_at)} ({incident.times} lần)",
        "",
        f"Việc cần làm: {meaning.advice}",
        "",
        "Người xử lý hãy tiếp nhận sự cố trên hệ thống, hoặc chạy:",
        f"  ttdn-hub incident acknowledge {incident.id} --by 'Họ và tên'",
    ]
    return Message(f"[TTĐN] {meaning.title}: {incident.device}, {where}", "\n".join(lines) + "\n")


def as_json(incident: Told) -> dict[str, Any]:
    """The same for programs: the body of a webhook."""
    said = message(incident)
    return {
        "id": incident.id,
        "kind": incident.kind,
        "device": incident.device,
        "subject": incident.subject,
        "site": incident.site,
        "province": incident.province,
        "opened_at": incident.opened_at.isoformat(),
        "last_at": incident.last_at.isoformat(),
        "times": incident.times,
        "title_vi": said.subject,
        "text_vi": said.body,
    }


def _facts(incident: Told) -> list[str]:
    """What of its detail a person needs at once."""
    if incident.kind != "rollout_halted":
        return []
    given = incident.detail
    return [
        f"Đợt cập nhật số {given.get('rollout')}: phiên bản {given.get('version')}",
        f"Lý do: {given.get('reason')}",
    ]


def _local(at: datetime) -> str:
    return f"{at.astimezone(_LOCAL):%H:%M:%S ngày %d/%m/%Y}"
