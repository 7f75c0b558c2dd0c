"""Commands that the hub knows, how long they are worth doing, and when one is sent again. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import Final, NamedTuple

from hub.fleet.errors import NotCommanded

MAX_LASTS_S: Final = 7 * 86_400
MAX_PICTURES: Final = 20
"""Kept of one device."""
PICTURE_DAYS: Final = 30
COMMAND_DAYS: Final = 400


class Order(NamedTuple):
    """A command: what it does, and for how long it is worth doing."""

    name: str
    meaning: str
    meaning_vi: str
    lasts: timedelta


ORDERS: Final = (
    Order(
        "identify",
        "shows the names of site and device large on its screens for 20 s",
        "hiện tên điểm và tên thiết bị thật lớn trên màn hình trong 20 giây",
        timedelta(minutes=10),
    ),
    Order(
        "snapshot",
        "sends a small picture of what is on its screen, but while a visitor uses it",
        "gửi ảnh nhỏ của màn hình; không chụp khi có khách đang dùng",
        timedelta(minutes=10),
    ),
    Order(
        "restart-player",
        "asks its player to end, which its supervisor starts again",
        "yêu cầu trình phát khởi động lại",
        timedelta(minutes=30),
    ),
    Order(
        "send-now",
        "says hello and sends what waits, whatever it saves data for",
        "gửi ngay mọi dữ liệu đang chờ",
        timedelta(hours=1),
    ),
)
"""What people can give. `update` is given by a roll-out alone."""


def order(name: str) -> Order:
    """The command of this name. NotCommanded."""
    for known in ORDERS:
        if known.name == name:
            return known
    raise NotCommanded(f"there is no command {name!r}; there are: {', '.join(known.name for known in ORDERS)}")
