"""Contents such as an information point shows: file names by subject and language, and a few strangers among them."""

from __future__ import annotations

import hashlib
from typing import Final, Literal

from msgspec import Struct

from contract.content_ref import file_ref, url_ref
from edge_agent.observation import Content
from simulator.border import Device

Unapproved = Literal["unknown", "altered"]

SUBJECTS: Final[dict[str, tuple[str, ...]]] = {
    "quan_ly_ttdn": ("chao-mung-quy-khach", "gioi-thieu-diem-thong-tin"),
    "kinh_te_xa_hoi": ("giam-ngheo-ben-vung", "nong-thon-moi-bien-gioi", "cua-khau-so"),
    "phong_chong_dich": ("rua-tay-dung-cach", "khai-bao-y-te"),
    "thu_hut_dau_tu": ("khu-kinh-te-cua-khau", "moi-goi-dau-tu-logistics"),
    "hinh_anh_van_hoa": ("le-hoi-long-tong", "hat-then-dan-tinh", "am-thuc-ba-mien", "di-san-viet-nam"),
    "quyen_con_nguoi": ("quyen-tre-em", "tro-giup-phap-ly"),
    "phan_bac_sai_lech": ("nhan-biet-tin-gia", "nguon-tin-chinh-thong"),
    "ngay_le_ngoai_giao": ("quoc-khanh-2-9", "ky-niem-quan-he-ngoai-giao"),
    "hang_viet_nam": ("hang-viet-chinh-hang", "nong-san-viet"),
    "bien_gioi_hoa_binh": ("bien-gioi-hoa-binh-huu-nghi", "cot-moc-chu-quyen"),
    "thong_tin_cua_khau": ("thu-tuc-xuat-nhap-canh", "gio-lam-viec", "an-toan-giao-thong"),
}
"""By topic code of the guidance letter: names of contents, as a provincial media folder has them."""
PAGES: Final = ("thu-tuc", "gio-lam-viec", "van-hoa", "dau-tu", "hoa-binh", "gop-y")
"""Pages of the kiosk's own web content."""
_STRANGERS: Final = ("quang-cao-dien-thoai", "video-karaoke", "USB/New folder/clip 01", "khuyen-mai-sieu-thi")
_SUFFIX: Final = {"led": "mp4", "tv": "mp4", "loa": "mp3"}


class Item(Struct, frozen=True):
    """Something that is shown. `unapproved` says why it should not be; None if it may."""

    content: Content
    unapproved: Unapproved | None = None


def playlist(device: Device) -> list[Item]:
    """What a device may show, in all its languages."""
    if device.kind == "kiosk":
        return [
            Item(Content(url_ref(f"http://127.0.0.1:8080/{language}/{page}")))
            for language in device.languages
            for page in PAGES
        ]
    return [
        _file(f"{topic}/{name}_{language}.{_SUFFIX[device.kind]}")
        for topic, names in SUBJECTS.items()
        for name in names
        for language in device.languages
    ]


def strangers(device: Device) -> list[Item]:
    """What a device should not show: files that nobody approved, and approved names over other bytes."""
    if device.kind == "kiosk":
        return [Item(Content(url_ref("http://games.example/choi-ngay")), "unknown")]
    unknown = [Item(_file(f"{name}.{_SUFFIX[device.kind]}").content, "unknown") for name in _STRANGERS]
    altered = [
        Item(Content(item.content.ref, _digest(f"{item.content.ref}, cut")), "altered") for item in playlist(device)
    ]
    return unknown + altered[:4]


def _file(path: str) -> Item:
    ref = file_ref(f"/srv/media/{path}", "/srv/media")
    return Item(Content(ref, _digest(ref)))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
