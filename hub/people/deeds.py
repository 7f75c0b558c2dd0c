"""What the audit log tells of: the one place where a kind of deed is added."""

from __future__ import annotations

from typing import Final, Literal, get_args

Deed = Literal[
    "person_added",
    "person_password_set",
    "person_disabled",
    "person_enabled",
    "person_unlocked",
    "token_created",
    "token_revoked",
    "login",
    "login_failed",
    "logout",
    "registry_imported",
    "device_moved",
    "device_code_issued",
    "device_enrolled",
    "device_renewed",
    "device_revoked",
    "reader_set",
    "reader_dropped",
    "incident_acknowledged",
    "incident_closed",
    "plan_imported",
    "plan_removed",
    "groups_imported",
    "device_configured",
    "device_commanded",
    "command_answered",
    "rollout_started",
    "rollout_halted",
    "rollout_resumed",
    "rollout_stopped",
]
DEEDS: Final[tuple[Deed, ...]] = get_args(Deed)
