"""Every player that is watched: what its probe sees at this moment, by a look of our own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from edge_agent.doctor.finding import Finding, fail, ok, warn
from edge_agent.doctor.place import Place
from edge_agent.observation import Reading, Showing, Trouble
from edge_agent.probes.base import ProbeError
from edge_agent.probes.registry import PROBES

ELSEWHERE: Final = ("screen", "system")
"""Checks of their own look at these."""
_KNOWN: Final = {True: "@yes", False: "@no", None: "@unknown"}


def judge(kind: str, readings: Sequence[Reading], agent_error: str = "", *, closed: bool = False) -> Finding:
    """One look; `agent_error` is why the running agent itself cannot look; `closed`: by the hub's opening hours."""
    id_ = f"probe.{kind}"
    if agent_error:
        return fail(id_, "probe.blind", probe=kind, reason=agent_error)
    trouble = next((reading for reading in readings if isinstance(reading, Trouble)), None)
    if trouble is not None:
        return fail(id_, "fault", code=trouble.code, reason=trouble.reason or trouble.code)
    showings = [reading for reading in readings if isinstance(reading, Showing)]
    shown = next((showing for showing in showings if showing.content is not None), None)
    if shown is None or shown.content is None:
        return ok(id_, "probe.closed", probe=kind) if closed else warn(id_, "probe.nothing", probe=kind)
    facts: dict[str, Any] = {
        "screen": shown.screen,
        "content": shown.content.ref,
        "listed": _KNOWN[shown.listed],
        "reported": _KNOWN[shown.reported],
        "rendering": _KNOWN[shown.rendering],
    }
    return warn(id_, "probe.still", **facts) if shown.rendering is False else ok(id_, "probe.sees", **facts)


def check(place: Place) -> Iterator[Finding]:
    """Probes of our own, so that it also works where no agent runs."""
    if place.settings is None:
        return
    kinds = {registered.name: registered.probe for registered in PROBES}
    said = place.status.probes if place.status is not None else {}
    for kind, settings in place.settings.probe_settings():
        if kind in ELSEWHERE:
            continue
        probe = kinds[kind](_light(settings))
        try:
            yield judge(kind, probe.read(), said.get(probe.name, ""), closed=place.closed)
        except ProbeError as error:
            yield fail(f"probe.{kind}", "probe.blind", probe=kind, reason=str(error))
        finally:
            probe.close()
    if not [kind for kind in place.settings.probes if kind not in ELSEWHERE] and not place.settings.bridge.enabled:
        yield warn("probe", "probe.none")


def _light(settings: Struct) -> Struct:
    """Nothing is hashed for one look."""
    return replace(settings, hash_media=False) if hasattr(settings, "hash_media") else settings
