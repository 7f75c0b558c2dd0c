"""Looking with the agent's own rights: what root can read, the agent may not be able to."""

from __future__ import annotations

import os
import pwd
from pathlib import Path


def become_owner(folder: Path) -> None:
    """If this is root, become the user who owns `folder`, for good, with that user's groups.

    So the doctor finds what the agent finds, and leaves no files of root's in the agent's folders. Nothing changes for
    other users, and where the folder is root's or not there.
    """
    if os.geteuid() != 0:
        return
    try:
        owner = folder.stat()
    except OSError:
        return
    if owner.st_uid == 0:
        return
    try:
        os.initgroups(pwd.getpwuid(owner.st_uid).pw_name, owner.st_gid)
    except KeyError:  # a user without an entry has no further groups
        os.setgroups([])
    os.setgid(owner.st_gid)
    os.setuid(owner.st_uid)
