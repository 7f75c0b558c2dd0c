"""Words that lists of stolen passwords are full of, and those that come to mind here; letters only, without accents."""

from __future__ import annotations

from typing import Final

# fmt: off
COMMON: Final = frozenset({
    "abcabcabc", "abcdefghijkl", "adminadmin", "administrator", "anhyeuem", "asdfasdf", "asdfghjkl", "bienphong",
    "bienphongvietnam", "changeme", "correcthorsebatterystaple", "cuakhau", "cuakhauquocte", "dragon", "emyeuanh",
    "football", "hochiminh", "iloveyou", "letmein", "letmeinplease", "lovelove", "matkhau", "matkhaumoi", "monkey",
    "passphrase", "password", "passwordpassword", "princess", "qazwsx", "qazwsxedc", "qazwsxedcrfv", "quantri",
    "quantrihethong", "quantrivien", "qwerty", "qwertyqwerty", "qwertyuiop", "qwertyuiopasdfghjkl", "sovanhoa",
    "sovanhoathethao", "sunshine", "superman", "thongtindoingoai", "toiyeuvietnam", "trustno", "ttdn", "ttdnborder",
    "ttdnhub", "vietnam", "vietnamvodich", "welcome", "xinchao", "xinchaovietnam", "yeuem", "zxcvbnm",
})
