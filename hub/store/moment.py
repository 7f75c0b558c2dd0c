"""The contract's times as the driver takes them."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def moment(unix_ms: int) -> datetime:
    """Unix ms as a UTC datetime."""
    return datetime.fromtimestamp(unix_ms / 1000, UTC)


def unix_ms(at: datetime) -> int:
    """A datetime as Unix ms."""
    return round(at.timestamp() * 1000)


def now_ms() -> int:
    """The hub's own clock, Unix ms."""
    return time.time_ns() // 1_000_000
