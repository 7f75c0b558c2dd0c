"""Bounds of the wire. A column of the hub's tables holds whatever these allow."""

from __future__ import annotations

from typing import Final

MAX_MESSAGE_BYTES: Final = 64 * 1024
"""The largest MQTT payload, as sent."""
MAX_INFLATED_BYTES: Final = 1024 * 1024
"""The largest payload after inflating; checked while inflating."""
MAX_EVENT_BYTES: Final = 16 * 1024
"""The largest single event as JSON: a single event fits into a message even where deflating gains nothing."""
MAX_BATCH_EVENTS: Final = 5_000
MAX_SEQ: Final = 2**53 - 1
"""The largest integer that every JSON reader keeps exact."""
MAX_TIME_MS: Final = 4_102_444_800_000
"""2100-01-01T00:00:00Z in Unix ms."""
MAX_INT32: Final = 2**31 - 1
MAX_LOSS_RANGES: Final = 256
MAX_HELLO_STREAMS: Final = 200
MAX_RECEIPT_RANGES: Final = 2_000
"""Ranges in one receipt; a receipt that would need more speaks of a shorter span."""
MAX_STREAM_RANGES: Final = 4_096
"""Ranges the hub's ledger keeps of one stream; beyond them the stream is refused with an incident."""
