"""Log lines of the hub: standard error, UTC, one line each whatever the text holds, as text or JSON."""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import Any, Final, Literal, TextIO

Format = Literal["text", "json"]
_TEXT: Final = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
_QUIET: Final = ("httpx", "uvicorn.access")


class _Utc(logging.Formatter):
    """ISO 8601 with milliseconds, in UTC."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"


class TextLines(_Utc):
    """A record as one line: line ends inside it, such as those of a traceback, are written as backslash and n."""

    def __init__(self) -> None:
        super().__init__(_TEXT)

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        return super().format(record).replace("\r", "\\r").replace("\n", "\\n")


class JsonLines(_Utc):
    """A record as one JSON object: time, level, logger, message and, where there is one, error."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, Any] = {
            "time": self.formatTime(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def set_up_log(level: str, line_format: Format, stream: TextIO | None = None) -> None:
    """Send everything of this process to `stream` (standard error); replaces what was set up before."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines() if line_format == "json" else TextLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
