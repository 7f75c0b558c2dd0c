"""Whom the audit log names."""

from __future__ import annotations

import os
import pwd

import pytest

from hub.cli.caller import by_whom


@pytest.mark.parametrize(("uid", "named"), [(0, "nguyen.an"), (998, "nguyen.an"), (1000, None)])
def test_behind_sudo_the_person_who_called(uid: int, named: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root and the hub's own user are nobody; a person's own account cannot say to be somebody else."""
    monkeypatch.setenv("SUDO_USER", "nguyen.an")
    monkeypatch.setattr(os, "geteuid", lambda: uid)
    own = pwd.getpwuid(os.getuid()).pw_name
    assert by_whom() == f"command:{named or own}"
