"""What enrolment says to a technician: Vietnamese first, English beside it, each with what to do."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

Language = Literal["vi", "en"]


class Text(NamedTuple):
    """One text in both languages, with fields in braces."""

    vi: str
    en: str

    def said(self, language: Language, **fields: object) -> str:
        """With its fields filled in."""
        return (self.vi if language == "vi" else self.en).format(**fields)


STEPS: Final = MappingProxyType(
    {
        "resume": Text("Tiếp tục việc đăng ký dang dở lần trước.", "Going on with the enrolment that was interrupted."),
        "key": Text("Tạo khóa riêng trên máy này ...", "Making the private key on this device ..."),
        "authority": Text(
            "Kết nối {url}, kiểm tra đúng máy chủ ...", "Connecting to {url}, making sure it is the hub ..."
        ),
        "ask": Text("Máy chủ đúng. Gửi yêu cầu cấp chứng thư ...", "It is the hub. Asking for the certificate ..."),
        "check": Text("Kiểm tra chứng thư nhận được ...", "Checking the certificate received ..."),
        "done": Text(
            "Đã đăng ký: thiết bị {device} tại {url}, chứng thư đến {until}.",
            "Enrolled: device {device} at {url}, certificate until {until}.",
        ),
        "already": Text(
            "Thiết bị đã đăng ký rồi: {device} tại {url}, chứng thư đến {until}. Không cần làm gì thêm.",
            "Already enrolled: device {device} at {url}, certificate until {until}. Nothing to do.",
        ),
        "restart": Text(
            "Khởi động lại tác tử để dùng: sudo systemctl restart ttdn-agent",
            "Restart the agent to use it: sudo systemctl restart ttdn-agent",
        ),
    }
)
"""Steps of an enrolment, told as they begin."""

TROUBLES: Final = MappingProxyType(
    {
        "bad_url": Text(
            "Địa chỉ máy chủ {detail!r} không đúng. Viết dạng https://ten-may-chu hoặc https://ten-may-chu:cổng.",
            "The hub's address {detail!r} is not one. Write https://host or https://host:port.",
        ),
        "bad_code": Text(
            "Mã đăng ký sai: {detail}. So lại từng nhóm năm ký tự với phiếu mã.",
            "The code is wrong: {detail}. Compare each group of five with the sheet.",
        ),
        "no_code": Text(
            "Chưa có mã đăng ký. Nhập mã mà cán bộ tỉnh đã cấp (ttdn-hub device add).",
            "There is no code. Give the one that the province's staff made (ttdn-hub device add).",
        ),
        "enrolled_otherwise": Text(
            "Thiết bị đã đăng ký là {detail}. Nếu muốn thay bằng mã mới, thêm --again (trong ttdn.toml: again = true).",
            "This device is enrolled as {detail}. To replace that add --again (in ttdn.toml: again = true).",
        ),
        "no_dns": Text(
            "Không tìm thấy tên {host}. Kiểm tra SIM/mạng đã kết nối chưa, và tên máy chủ có viết đúng không.",
            "The name {host} is not found. Check that the network (SIM) is up and that the name is spelt right.",
        ),
        "no_route": Text(
            "Không có đường mạng tới {host}:{port}. Kiểm tra dây mạng, Wi-Fi hoặc SIM và APN.",
            "No network leads to {host}:{port}. Check the cable, Wi-Fi, or SIM and APN.",
        ),
        "closed": Text(
            "{host}:{port} từ chối kết nối. Kiểm tra địa chỉ và cổng; báo cán bộ tỉnh xem máy chủ có chạy không.",
            "{host}:{port} refuses connections. Check address and port; ask the province whether the hub runs.",
        ),
        "timeout": Text(
            "{host}:{port} không trả lời. Sóng yếu hoặc mạng chặn cổng này: chờ rồi thử lại, hoặc đổi vị trí ăng-ten.",
            "{host}:{port} does not answer. The signal is weak or the network blocks the port: try again later.",
        ),
        "broken": Text(
            "Kết nối tới {host}:{port} bị đứt ({detail}). Thử lại.",
            "The connection to {host}:{port} broke ({detail}). Try again.",
        ),
        "wrong_authority": Text(
            "NGUY HIỂM: máy chủ tại {host} không phải máy chủ của mã này. Có kẻ đứng giữa, hoặc sai địa chỉ. "
            "Chưa gửi gì bí mật. Kiểm tra địa chỉ, đổi mạng khác; nếu vẫn vậy, báo cán bộ tỉnh.",
            "DANGER: the server at {host} is not the hub of this code. Somebody is in between or the address is wrong. "
            "Nothing secret was sent. Check the address, use another network; if it stays so, tell the province.",
        ),
        "untrusted": Text(
            "NGUY HIỂM: chứng thư của {host} không do máy chủ của bạn cấp ({detail}). Có kẻ đứng giữa hoặc máy chủ cấu "
            "hình sai. Chưa gửi gì bí mật. Đổi mạng khác; nếu vẫn vậy, báo cán bộ tỉnh.",
            "DANGER: the certificate of {host} is not by your hub's authority ({detail}). Somebody is in between or "
            "the hub is set up wrongly. Nothing secret was sent. Use another network, then tell the province.",
        ),
        "wrong_name": Text(
            "Chứng thư của máy chủ không mang tên {host}. Dùng tên ghi trên phiếu mã; nếu đã đúng, báo cán bộ tỉnh.",
            "The hub's certificate is not for the name {host}. Use the name on the sheet; if it is, tell the province.",
        ),
        "hub_expired": Text(
            "Chứng thư của máy chủ đã hết hạn ({detail}). Báo cán bộ tỉnh gia hạn: ttdn-hub pki.",
            "The hub's certificate has expired ({detail}). Tell the province to renew it: ttdn-hub pki.",
        ),
        "clock": Text(
            "Chứng thư của máy chủ chưa có hiệu lực ({detail}): đồng hồ máy này hoặc máy chủ sai. Xem lệnh date.",
            "The hub's certificate is not valid yet ({detail}): this device's clock or the hub's is wrong. See date.",
        ),
        "not_hub": Text(
            "{host}:{port} trả lời nhưng không phải máy chủ TTĐN ({detail}). Kiểm tra địa chỉ; Wi-Fi có đòi đăng nhập?",
            "{host}:{port} answers, but is no hub ({detail}). Check the address; a Wi-Fi may ask for a login first.",
        ),
        "hub_down": Text(
            "Máy chủ {host} có trả lời nhưng chưa sẵn sàng ({detail}). Chờ vài phút; nếu vẫn vậy, báo cán bộ tỉnh.",
            "The hub {host} answers, but is not ready ({detail}). Wait some minutes; if it lasts, tell the province.",
        ),
        "refused": Text(
            "Máy chủ không nhận mã: mã sai, đã dùng hoặc hết hạn. Xin cán bộ tỉnh cấp mã mới.",
            "The hub refuses the code: wrong, used or expired. Ask the province for a new one.",
        ),
        "renewal_refused": Text(
            "Máy chủ không gia hạn chứng thư (đã thu hồi hoặc quá hạn lâu). Xin mã mới và đăng ký lại.",
            "The hub does not renew the certificate (revoked or long expired). Enrol again with a new code.",
        ),
        "too_many": Text(
            "Quá nhiều lần thử. Chờ {detail} giây rồi thử lại.",
            "Too many attempts. Wait {detail} s, then try again.",
        ),
        "malformed": Text(
            "Máy chủ không hiểu yêu cầu ({detail}). Phiên bản của tác tử và máy chủ khác nhau: cập nhật cái cũ hơn.",
            "The hub does not understand the request ({detail}). Agent and hub differ in version: update the older.",
        ),
        "bad_answer": Text(
            "Máy chủ trả lời sai ({detail}). Chưa lưu gì. Báo cán bộ tỉnh.",
            "The hub's answer is wrong ({detail}). Nothing was kept. Tell the province.",
        ),
    }
)
"""What can go wrong, and what to do."""

_HINTS: Final = (
    (re.compile(r"the code has (\d+) characters; expected (\d+)"), "mã có {0} ký tự, phải có {1} (không kể dấu gạch)"),
    (re.compile(r"character (\d+) of group (\d+)"), "ký tự thứ {0} của nhóm {1} không thể có trong mã"),
    (re.compile(r"mistyped"), "mã gõ nhầm: các ký tự không khớp nhau"),
    (re.compile(r"of version (\d+)"), "mã thuộc phiên bản {0} mới hơn: cập nhật tác tử"),
)


def code_hint(detail: str, language: Language) -> str:
    """What parse_enrol_code says of a code, in the language asked for."""
    if language == "vi":
        for pattern, text in _HINTS:
            if (match := pattern.search(detail)) is not None:
                return text.format(*match.groups())
    return detail


FIRST_BOOT: Final = MappingProxyType(
    {
        "done": Text(
            "TTĐN: ĐĂNG KÝ XONG. Mã trong ttdn.toml không còn dùng được nữa; có thể rút USB.",
            "TTDN: ENROLLED. The code in ttdn.toml is of no more use; the stick may be taken out.",
        ),
        "kept": Text(
            "Không xóa được mã khỏi ttdn.toml (thẻ hoặc USB chỉ đọc hay đầy): hãy tự xóa.",
            "The code could not be removed from ttdn.toml (read-only or full): remove it yourself.",
        ),
        "waiting": Text(
            "TTĐN: CHƯA XONG, máy đang tự thử lại. Cứ để nguyên.",
            "TTDN: NOT DONE YET, the device keeps trying. Leave it as it is.",
        ),
        "gave_up": Text(
            "TTĐN: CHƯA ĐĂNG KÝ ĐƯỢC. Xử lý việc dưới đây rồi tắt, bật lại máy.",
            "TTDN: NOT ENROLLED. Do what is said below, then switch the device off and on.",
        ),
        "failed": Text(
            "TTĐN: KHÔNG ĐĂNG KÝ ĐƯỢC. Xử lý việc dưới đây rồi tắt, bật lại máy.",
            "TTDN: NOT ENROLLED. Do what is said below, then switch the device off and on.",
        ),
        "wrong_file": Text(
            "TTĐN: TỆP ttdn.toml VIẾT SAI. Sửa tệp rồi tắt, bật lại máy.",
            "TTDN: ttdn.toml IS WRONG. Correct it, then switch the device off and on.",
        ),
        "no_url": Text(
            'Thiếu địa chỉ máy chủ. Thêm dòng: url = "https://ten-may-chu"',
            'The address of the hub is missing. Add a line: url = "https://host"',
        ),
        "too_large": Text(
            "Tệp quá lớn: đây không phải ttdn.toml.",
            "The file is too large: this is no ttdn.toml.",
        ),
    }
)
"""Heads and hints of `ttdn-ket-qua.txt`."""
