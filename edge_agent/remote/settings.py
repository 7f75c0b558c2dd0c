"""What of the hub's word this device takes: of its own file, so that a technician has the last one."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct


class RemoteSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What the hub may do here."""

    configuration: Annotated[
        bool, Meta(description="Take configuration from the hub; what it sets wins over this file. Off: refused.")
    ] = True
    commands: Annotated[
        bool, Meta(description="Do what the hub asks: identify, snapshot, restart-player, send-now. Off: refused.")
    ] = True
