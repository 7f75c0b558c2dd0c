"""Every probe there is. A new probe is one file and one line here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from msgspec import Struct

from edge_agent.probes.base import Probe
from edge_agent.probes.chromium import ChromiumProbe, ChromiumSettings
from edge_agent.probes.mpv import MpvProbe, MpvSettings
from edge_agent.probes.screen import ScreenProbe, ScreenSettings
from edge_agent.probes.system import SystemProbe, SystemSettings


class Registered(NamedTuple):
    """A kind of probe: its name in the configuration, what can be set, and how one is made of its settings."""

    name: str
    settings: type[Struct]
    probe: Callable[[Any], Probe]


PROBES: Final[tuple[Registered, ...]] = (
    Registered("chromium", ChromiumSettings, ChromiumProbe),
    Registered("mpv", MpvSettings, MpvProbe),
    Registered("screen", ScreenSettings, ScreenProbe),
    Registered("system", SystemSettings, SystemProbe),
)
