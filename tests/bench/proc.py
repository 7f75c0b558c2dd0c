"""What the kernel says a process has used, from /proc."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from simulator import processes

_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")
_UTIME, _STIME = 11, 12
"""Fields of /proc/PID/stat, counted from the one after the name in brackets."""


def cpu_s(pid: int) -> float:
    """User and system time of a process, all its threads, s; to 10 ms."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[_UTIME]) + int(fields[_STIME])) / _TICKS_PER_S


def family_cpu_s(pid: int) -> float:
    """Of a process and its direct children that run now."""
    return cpu_s(pid) + sum(cpu_s(child) for child in processes.children(pid))


def memory_mb(pid: int) -> dict[str, float]:
    """VmRSS and VmHWM: memory in RAM now and at most, shared libraries included, MB (10^6 bytes)."""
    lines = [line.split() for line in Path(f"/proc/{pid}/status").read_text().splitlines()]
    return {words[0][:-1]: int(words[1]) * 1024 / 1e6 for words in lines if words[0] in ("VmRSS:", "VmHWM:")}


def write_bytes(pid: int | str = "self") -> int:
    """Bytes that a process has caused to be written to storage, since its start."""
    for line in Path(f"/proc/{pid}/io").read_text().splitlines():
        if line.startswith("write_bytes:"):
            return int(line.split()[1])
    raise ProcessLookupError(f"process {pid} tells nothing of its I/O")
