"""Boot, start and stop as events; a boot is told once, by the kernel's boot id that was there last time."""

from __future__ import annotations

from pathlib import Path

from contract.events import UNNUMBERED, Lifecycle, LifecycleAction
from edge_agent.draft import UNSTAMPED, Draft

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def lifecycle(action: LifecycleAction, at_ms: int, detail: str = "") -> Draft:
    """One lifecycle event."""
    return Draft(at_ms, Lifecycle(seq=UNNUMBERED, time=UNSTAMPED, action=action, detail=detail))


def boot_id() -> str:
    """The kernel's id of this boot, which CLOCK_BOOTTIME counts in."""
    return _BOOT_ID.read_text(encoding="ascii").strip()


def is_new_boot(state_folder: Path, boot: str) -> bool:
    """Whether this agent has not run in this boot before; remembers it."""
    file = state_folder / "last_boot"
    known = file.read_text(encoding="ascii").strip() if file.exists() else ""
    if known != boot:
        file.write_text(boot + "\n", encoding="ascii")
    return known != boot
