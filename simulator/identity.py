"""As whom a server runs that refuses to run as root.

PostgreSQL refuses root, and `initdb` refuses a user id that has no passwd entry. So root becomes `nobody` (65534, which
every Debian has): in a user namespace, where the files stay root's and no permission changes; where user namespaces are
refused (a plain chroot, most containers) by `setpriv`, and the server's own folder is given to that user. Nothing above
that folder is ever made more readable.
"""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from simulator.errors import ServerError

NOBODY = 65534
_PROBE_S = 30.0


@dataclass(frozen=True, slots=True)
class Identity:
    """A user to run as: the command that becomes it, and who owns its files seen from here."""

    prefix: tuple[str, ...]
    uid: int
    gid: int

    def refusal(self, *command: str) -> str | None:
        """Run a short command as this user; None if it succeeds, otherwise what it said."""
        try:
            done = subprocess.run(
                [*self.prefix, *command],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_PROBE_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return str(error)
        return None if done.returncode == 0 else done.stderr.strip() or f"exit code {done.returncode}"

    def own(self, folder: Path) -> None:
        """Give the folder and all that is in it to this user; a symbolic link itself, never what it points to."""
        if os.geteuid() != 0 or (folder.stat().st_uid, folder.stat().st_gid) == (self.uid, self.gid):
            return
        for parent, folders, files in os.walk(folder):
            for name in (*folders, *files):
                os.chown(Path(parent, name), self.uid, self.gid, follow_symlinks=False)
        # Last, so that the short way out above is taken only when all is done.
        os.chown(folder, self.uid, self.gid)


def _by_namespace(uid: int, gid: int) -> Identity:
    return Identity(("unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}"), uid, gid)


def _by_setpriv(uid: int, gid: int) -> Identity:
    # setpriv itself still has root's rights when it starts a program; the shell between has not, so that what root may
    # reach and the user may not is refused at once and not half-way.
    become = ("setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups")
    return Identity((*become, "/bin/sh", "-c", 'exec "$0" "$@"'), uid, gid)


def _candidates() -> Iterator[Identity]:
    uid, gid = os.geteuid(), os.getegid()
    if uid != 0:
        try:
            pwd.getpwuid(uid)
        except KeyError:
            yield _by_namespace(uid, gid)
        else:
            yield Identity((), uid, gid)
        return
    yield _by_namespace(uid, gid)
    yield _by_setpriv(NOBODY, NOBODY)
    caller = os.environ.get("SUDO_UID", "0"), os.environ.get("SUDO_GID", "0")
    if caller[0].isdigit() and caller[1].isdigit() and int(caller[0]) and int(caller[1]):
        # `sudo ./demo` below a home that only its owner may enter.
        yield _by_setpriv(int(caller[0]), int(caller[1]))


def identity_for(folder: Path, candidates: Sequence[Identity] | None = None) -> Identity:
    """The first user as whom a server can run and write to `folder`, which is then that user's.

    Raises ServerError when there is none; its text has what each way of becoming another user said.
    """
    refusals = []
    for identity in candidates if candidates is not None else _candidates():
        how = " ".join(identity.prefix) or "as this user"
        refused = identity.refusal("true")
        if refused is None:
            identity.own(folder)
            if identity.refusal("test", "-w", str(folder), "-a", "-x", str(folder)) is None:
                return identity
            refused = f"works, but user {identity.uid} may not enter {folder} (a folder above it is closed to others)"
        refusals.append(f"    {how}: {refused}")
    raise ServerError(
        f"cannot run a database server over {folder}:\n"
        + "\n".join(refusals)
        + "\n  Choose a folder that others may pass into, such as one below /var/tmp, or run as an ordinary user."
    )
