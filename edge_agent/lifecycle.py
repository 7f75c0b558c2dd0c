"""Boot, start and stop as events; a boot is told once, by the kernel's boot id that was there last time."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final

from contract.events import UNNUMBERED, Lifecycle, LifecycleAction
from edge_agent.draft import UNSTAMPED, Draft

log = logging.getLogger(__name__)
_LAST_BOOT: Final = "last_boot"
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def lifecycle(action: LifecycleAction, at_ms: int, detail: str = "", *, step_ms: int | None = None) -> Draft:
    """One lifecycle event; `step_ms`: by how much the wall clock was set forward."""
    return Draft(at_ms, Lifecycle(seq=UNNUMBERED, time=UNSTAMPED, action=action, detail=detail, step_ms=step_ms))


def boot_id() -> str:
    """The kernel's id of this boot, which CLOCK_BOOTTIME counts in."""
    return _BOOT_ID.read_text(encoding="ascii").strip()


def is_new_boot(state_folder: Path, boot: str) -> bool:
    """Whether no agent of this folder has told of this boot yet."""
    try:
        return (state_folder / _LAST_BOOT).read_text(encoding="utf-8", errors="replace").strip() != boot
    except OSError:
        return True


def remember_boot(state_folder: Path, boot: str) -> None:
    """This boot has been told of, durably; a card that cannot take this note is told of again at the next start."""
    try:
        (state_folder / _LAST_BOOT).write_text(boot + "\n", encoding="utf-8")
    except OSError as error:
        log.warning("cannot note the boot in %s: %s", state_folder, error)
