"""The machine and the versions that a figure belongs to."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Final

_LIBRARIES: Final = ("msgspec", "paho-mqtt", "psycopg", "psycopg-binary", "websockets")


def machine() -> dict[str, str | int | float]:
    """CPU, cores, memory, kernel, Python, libraries and how busy the machine was with other things."""
    found: dict[str, str | int | float] = {
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 2),
    }
    return found | {name: version(name) for name in _LIBRARIES}


def mosquitto_version() -> str:
    """Of the broker; it tells it on its help page, which ends with an exit code of its own."""
    program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin")
    if program is None:
        return "not installed"
    said = subprocess.run([program, "-h"], capture_output=True, text=True, check=False, timeout=10).stdout
    return said.partition("\n")[0].removeprefix("mosquitto version ").strip()


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() in ("model name", "Model"):
            return value.strip()
    return platform.machine()
