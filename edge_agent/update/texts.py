"""What an update says to the technician, Vietnamese first."""

from __future__ import annotations

from typing import Final

from contract.release import Fate, Told

TAKEN: Final = (
    "Đã nhận gói phiên bản {version}. Đang cài đặt và thử, có thể mất 10-20 phút; không tắt máy. / "
    "Version {version} is taken; it is installed and tried now, which may take 10 to 20 minutes."
)
TAKEN_FROM_STICK: Final = (
    "Đã nhận gói phiên bản {version}, máy đang cài đặt và thử. Không tắt máy trong 30 phút; có thể rút USB. Muốn xem "
    "kết quả: sau 30 phút cắm lại USB này, tắt rồi bật máy, mở lại tệp này. / "
    "Version {version} is taken; it is installed and tried now. Leave the machine on for 30 minutes; the stick may be "
    "taken out. For the result put it in again after that, switch off and on, and open this file again."
)
NOT_TAKEN: Final = "Không nhận được gói {file}: {reason} / The package could not be taken."
UNFIT: Final = "Gói {file} không dùng cho máy này: {reason} / The package is not for this machine."
WAITED: Final = (
    "Chưa có kết quả; việc cài đặt vẫn tiếp tục, xem sau bằng: ttdn-agent status / "
    "No result yet; the installation goes on, look again later: ttdn-agent status"
)
_FATES: Final[dict[Fate, str]] = {
    "applied": "Đã cập nhật lên {version}, mọi kiểm tra đạt như trước. / Updated to {version}; all is well as before.",
    "went_back": (
        "Phiên bản {version} không chạy tốt, máy đã trở lại {before}. Không mất dữ liệu. Lý do: {reason} / "
        "{version} did not work well; {before} runs again and nothing is lost."
    ),
    "refused": "Gói không dùng được cho máy này: {reason} / The package is not for this device.",
    "failed": "Không cài được, máy vẫn chạy {before}: {reason} / It could not be installed; {before} runs as before.",
}


def told_in_words(told: Told) -> str:
    """What came of a package."""
    return _FATES[told.fate].format(version=told.version, before=told.before, reason=told.reason)
