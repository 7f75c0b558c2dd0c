"""A program that is killed at every step of what the authority's folder goes through, and goes on after each.

`python -m tests.hub.pki.dying FOLDER` prints a line of JSON for each kind of work: how many steps there were, and what
was wrong after one of them. A step is a call that opens, renames, makes or removes something; the child that takes it
is killed by SIGKILL just before it.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from hub.chores.identity import keep_files
from hub.config import HubSettings
from hub.pki import publication
from hub.pki.folder import PkiFolder
from tests.hub.pki.making import NOW, pki_settings

REVOKED: Final = f"{0xABC:040x}"
_STEPS: Final = ("open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.chown", "os.chmod", "shutil.rmtree")
_MOST: Final = 200
Work = Callable[[], None]


def settings_of(folder: Path) -> HubSettings:
    return HubSettings.model_validate({"database": {"dsn": "dbname=none"}, "pki": pki_settings(folder)})


def dies_at(step: int, folder: Path, work: Work) -> bool:
    """Whether a child that does the work was killed at this step; False: it was through before."""
    child = os.fork()
    if child == 0:
        seen = 0

        def hook(event: str, arguments: tuple[Any, ...]) -> None:
            nonlocal seen
            if event in _STEPS and str(folder) in str(arguments[0]):
                seen += 1
                if seen == step:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hook)
        work()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return True
    if os.waitstatus_to_exitcode(status) != 0:
        raise RuntimeError(f"step {step}: the work failed by itself")
    return False


def first_time(folder: Path) -> str:
    """After a death in `init`: an authority that is whole or absent, and the next `init` leaves a whole one."""
    made = PkiFolder(settings_of(folder).pki)
    before = made.authority().pem if made.exists() else None
    made.init(NOW)
    if before not in {None, made.authority().pem}:
        return "the authority is another one"
    made.server_pem("mqtt")
    made.server_pem("https")
    known = made.revocation_list()
    return "" if known is not None and known.number >= 1 else "no revocation list"


def revocation(folder: Path) -> str:
    """After a death while a revocation is written: the list says nothing less than before, the next pass all of it."""
    settings = settings_of(folder)
    made = PkiFolder(settings.pki)
    half = made.revocation_list()
    if half is None or len(half.serials) not in {1, 2}:
        return "the list was lost"
    keep_files(made, settings, {REVOKED: NOW}, NOW)
    known = made.revocation_list()
    shown = (settings.pki.broker_folder / "crl.pem").read_bytes()
    if known is None or REVOKED not in known.serials or shown != made.list_pem():
        return "the next pass did not make it good"
    return ""


def every_step(folder: Path, prepare: Work, work: Work, check: Callable[[Path], str]) -> dict[str, Any]:
    for step in range(1, _MOST):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        prepare()
        if not dies_at(step, folder, work):
            return {"steps": step - 1, "wrong": ""}
        wrong = check(folder)
        if wrong:
            return {"steps": step, "wrong": wrong}
    return {"steps": _MOST, "wrong": "it never ends"}


def main(folder: Path) -> None:
    settings = settings_of(folder)
    made = PkiFolder(settings.pki)
    whole = folder.with_name("whole")

    def prepared() -> None:
        shutil.copytree(whole, folder, dirs_exist_ok=True)

    def begun() -> None:
        keep_files(made, settings, {REVOKED: NOW}, NOW + timedelta(seconds=1))

    print(json.dumps(every_step(folder, lambda: None, lambda: made.init(NOW) and None, first_time)))
    settings.pki.broker_folder.mkdir()
    made.init(NOW)
    publication.write(settings.pki.broker_folder, publication.renewed_at_broker(settings.pki))
    shutil.copytree(folder, whole)
    print(json.dumps(every_step(folder, prepared, begun, revocation)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
