"""Whether each output has a display and gives it a picture. Connected is not lit: that is said, too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edge_agent.doctor.finding import Finding, fail, ok, warn
from edge_agent.doctor.place import Place
from edge_agent.observation import Reading, ScreenPower, Trouble
from edge_agent.probes.base import ProbeError
from edge_agent.probes.screen import ScreenProbe, ScreenSettings


def judge(readings: Sequence[Reading], *, closed: bool = False) -> Iterator[Finding]:
    """One look of the screen probe; `closed`: by the hub's opening hours it may sleep."""
    for reading in readings:
        if isinstance(reading, ScreenPower):
            yield _power(reading, closed=closed)
        elif isinstance(reading, Trouble) and reading.code == "screen_missing":
            screen = reading.reason.partition(":")[0]
            yield fail(f"screen.{screen}", "fault", code=reading.code, reason=reading.reason)


def _power(power: ScreenPower, *, closed: bool) -> Finding:
    id_ = f"screen.{power.screen}"
    if power.state == "disconnected":
        return fail(id_, "screen.disconnected", screen=power.screen)
    if power.state == "asleep" or power.panel_on is False:
        if closed:
            return ok(id_, "screen.closed", screen=power.screen)
        return warn(id_, "screen.asleep", screen=power.screen)
    if power.brightness == 0:
        return warn(id_, "screen.dark", screen=power.screen)
    said = "screen.lit" if power.panel_on else "screen.active"
    return ok(id_, said, screen=power.screen)


def check(place: Place) -> Iterator[Finding]:
    """Configured screens; without configuration the outputs that there are."""
    settings = None
    if place.settings is not None:
        settings = next((found for name, found in place.settings.probe_settings() if name == "screen"), None)
    probe = ScreenProbe(settings if isinstance(settings, ScreenSettings) else ScreenSettings(), root=place.root)
    try:
        readings = probe.read()
    except ProbeError as error:
        if settings is not None:
            yield fail("screen", "screen.blind", reason=str(error))
        return
    yield from judge(readings, closed=place.closed)
