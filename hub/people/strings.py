"""What people read about people, in Vietnamese first: login page, and why a name, password or token is refused."""

from __future__ import annotations

from typing import Final

ROLES: Final = {
    "technician": "Kỹ thuật viên",
    "staff": "Cán bộ",
    "administrator": "Quản trị",
    "ministry": "Cơ quan trung ương",
}
"""By `hub.people.roles.Role`."""

# why something is refused; the command shows both languages ---------------------------------------------------------

BAD_NAME: Final = (
    "tên đăng nhập {name!r} không hợp lệ: cần 1 đến 40 chữ thường không dấu, chữ số, '.', '_', '-', như nguyen.an"
    " / not a login name: 1 to 40 small letters without accents, digits, '.', '_', '-'"
)
BAD_PURPOSE: Final = (
    "tên token cần 1 đến 40 ký tự trên một dòng, như grafana / a token's name is 1 to 40 letters on one line"
)
BAD_PROVINCE: Final = "mã tỉnh {code!r} không hợp lệ: cần hai chữ số, như 20 / a province is two digits, such as 20"
WHICH_PROVINCES: Final = (
    "cần nêu rõ phạm vi: --province 20 (lặp lại được) hoặc --all-provinces, chỉ một trong hai"
    " / say which provinces: --province 20 (any number of times) or --all-provinces, not both"
)
BAD_ROLE: Final = "không có vai trò {role!r}; cần một trong / no such role; there are: {known}"
BAD_SCOPE: Final = "không có quyền {scope!r}; cần một trong / no such scope; there are: {known}"
PERSONAL_SCOPE: Final = (
    "quyền {scope!r} chỉ dành cho người có tài khoản, không cấp cho token"
    " / the scope {scope!r} is for people with an account; no token has it"
)
NO_SCOPE: Final = "cần ít nhất một quyền: --scope read / a token needs a scope: --scope read"
NO_PERSON: Final = "không có tài khoản {name!r}; xem / no such person; see: ttdn-hub user list"
PERSON_EXISTS: Final = (
    "tài khoản {name!r} đã có; đổi mật khẩu bằng / this person exists; for another password: "
    "ttdn-hub user password {name}"
)
NO_SUCH_KEY: Final = "không có token {key!r}; xem / no such token; see: ttdn-hub token list"
NOT_A_KEY: Final = (
    "cần khóa 12 ký tự trong danh sách token, không phải cả token"
    " / give the key of 12 letters that ttdn-hub token list shows, not the token itself"
)
TOO_SHORT: Final = (
    "mật khẩu cần ít nhất {least} ký tự; vài từ ghép lại thì dễ nhớ / a password needs at least {least} letters"
)
TOO_LONG: Final = "mật khẩu tối đa {most} ký tự / a password has at most {most} letters"
REPEATS: Final = "mật khẩu chỉ lặp lại vài ký tự / the password repeats a few letters"
IS_THE_NAME: Final = "mật khẩu chứa tên đăng nhập / the password contains the login name"
TOO_COMMON: Final = (
    "mật khẩu này quá phổ biến: chỉ là một từ hay dùng thêm số và dấu"
    " / this password is a common word with digits and signs"
)
ENTRIES_DIFFER: Final = "hai lần nhập không giống nhau / the two entries differ"
ASK: Final = "Mật khẩu / password"
ASK_AGAIN: Final = "Nhập lại / again"
NO_TERMINAL: Final = (
    "không có cửa sổ lệnh để nhập mật khẩu: dùng --password-file TỆP"
    " / there is no terminal to type a password: give --password-file FILE"
)

# the login page -----------------------------------------------------------------------------------------------------

LOGIN_WRONG: Final = "Tên hoặc mật khẩu không đúng. Nếu quên, xin liên hệ người quản trị."
LOGIN_WAIT: Final = "Đã nhập sai nhiều lần. Xin thử lại sau {wait}."
LOGIN_INSECURE: Final = (
    "Trang này đang mở qua http nên mật khẩu sẽ đi không mã hóa. Hãy mở bằng https, hoặc ngay trên máy chủ."
)
LOGIN_FOREIGN: Final = "Yêu cầu đến từ một trang khác nên không được nhận. Xin đăng nhập lại tại đây."
LOGIN_INCOMPLETE: Final = "Xin nhập tên và mật khẩu."
LOGIN_OUT: Final = "Đã đăng xuất."
NOBODY_YET: Final = "Chưa có tài khoản nào. Người quản trị tạo tài khoản đầu tiên trên máy chủ bằng lệnh"

MESSAGES: Final = {
    401: "Cần đăng nhập.",
    403: "Tài khoản này không được xem trang này.",
    429: "Quá nhiều yêu cầu. Xin đợi một lát rồi thử lại.",
    503: "Trung tâm chưa kết nối được cơ sở dữ liệu. Xin thử lại sau ít phút.",
}
"""What a page says instead of its content, by HTTP status."""
MESSAGE_OTHER: Final = "Yêu cầu không thực hiện được."


def wait_words(seconds: float) -> str:
    """A time to wait, rounded up: `40 giây`, `3 phút`."""
    whole = max(1, int(-(-seconds // 1)))
    return f"{whole} giây" if whole < 60 else f"{-(-whole // 60)} phút"
