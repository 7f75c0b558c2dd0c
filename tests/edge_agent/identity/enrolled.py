"""Enrols in this process: keys are made by the real keytool, without a process of its own for each."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_agent.clock import wall_ms
from edge_agent.identity import keys
from edge_agent.identity.steps import Means, enrol, renew
from edge_agent.identity.store import Identity, IdentityStore
from edge_agent.tls import Moment
from tests.edge_agent.identity.hand_authority import DEVICE, HandEnrolment
from tests.edge_agent.identity.power_cut import in_this_process


def certain(floor_ms: int = 0) -> Moment:
    return Moment(max(floor_ms, wall_ms()), certain=True)


def enrolled(folder: Path, hub: HandEnrolment, secret: bytes = b"12345678", device: str = DEVICE) -> Identity:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keys, "_run", in_this_process)
        code = hub.add(hub.authority.code(secret), device)
        return enrol(IdentityStore(folder), hub.url, code, Means(now=certain))


def renewed(folder: Path) -> Identity:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keys, "_run", in_this_process)
        identity = renew(IdentityStore(folder), Means(now=certain))
        assert identity is not None
        return identity
