"""What a technician gets of a code: a file for the first boot, and what to read with it. Pure."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Final

from hub.pki.codes import NewCode

APN: Final = re.compile(r"[A-Za-z0-9._-]{1,100}", re.ASCII)


def boot_file(url: str, code: NewCode, device: str, apn: str | None, *, again: bool) -> str:
    """`ttdn.toml`: from the boot partition or a USB stick a kiosk enrols by itself, and takes the code out of it.

    `again`: also one that is enrolled.
    """
    lines = [
        f"# {device}: chép vào phân vùng khởi động (bootfs) của thẻ nhớ hoặc USB, rồi bật thiết bị.",
        "# Copy it to the boot partition (bootfs) of the SD card or to a USB stick, and switch the device on.",
        f"# Dùng một lần, đến / works once, until {_utc(code.expires_at)}",
        f"url = {_quoted(url)}",
        f"code = {_quoted(code.code.text())}",
    ]
    if again:
        lines.append("again = true")
    if apn:
        lines.append(f"apn = {_quoted(apn)}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """A TOML string; JSON writes these alike."""
    return json.dumps(text, ensure_ascii=False)


def _utc(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
