"""SIM, signal and APN of a modem that ModemManager looks after; nothing is said where there is none.

Numbers of SIM, subscriber and equipment are never read out: they are nobody's business here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec
from msgspec import Struct

from edge_agent.doctor.finding import Finding, fail, ok, warn
from edge_agent.doctor.place import Place
from edge_agent.probes.sysfs import whole

WEAK_PERCENT: Final = 25
NONE_PERCENT: Final = 5
APN_CONNECTION: Final = "ttdn-apn"
"""As `identity.network` names it."""
_TIMEOUT_S: Final = 6.0
_NOTHING: Final = "--"
"""mmcli's word for what it does not know."""
_REGISTERED: Final = ("home", "roaming")
_STICKS: Final = ("cdc_mbim", "qmi_wwan", "option", "huawei_cdc_ncm", "cdc_ncm", "sierra_net")


class Modem(Struct, frozen=True, kw_only=True):
    """One modem as ModemManager describes it; empty and None are what it does not say."""

    state: str = ""
    failed: str = ""
    lock: str = ""
    sim: bool = False
    registration: str = ""
    operator: str = ""
    technology: str = ""
    signal_percent: int | None = None
    bearers: tuple[str, ...] = ()


class Bearer(Struct, frozen=True):
    """A data connection of a modem."""

    connected: bool
    apn: str


def parse_list(text: str) -> list[str]:
    """D-Bus paths out of `mmcli -L -J`; empty if it is not that."""
    paths = _dig(_json(text), "modem-list")
    return [path for path in paths if isinstance(path, str)] if isinstance(paths, list) else []


def parse_modem(text: str) -> Modem | None:
    """`mmcli -m PATH -J`; None if it is not that."""
    told = _dig(_json(text), "modem")
    if not isinstance(told, dict):
        return None
    technologies = _dig(told, "generic", "access-technologies")
    bearers = _dig(told, "generic", "bearers")
    return Modem(
        state=_word(told, "generic", "state"),
        failed=_word(told, "generic", "state-failed-reason"),
        lock=_word(told, "generic", "unlock-required"),
        sim=bool(_word(told, "generic", "sim")),
        registration=_word(told, "3gpp", "registration-state"),
        operator=_word(told, "3gpp", "operator-name"),
        technology=", ".join(map(str, technologies)) if isinstance(technologies, list) else "",
        signal_percent=whole(_word(told, "generic", "signal-quality", "value") or None),
        bearers=tuple(map(str, bearers)) if isinstance(bearers, list) else (),
    )


def parse_bearer(text: str) -> Bearer | None:
    """`mmcli -b PATH -J`; None if it is not that."""
    told = _dig(_json(text), "bearer")
    if not isinstance(told, dict):
        return None
    return Bearer(_word(told, "status", "connected") == "yes", _word(told, "properties", "apn"))


def judge(modem: Modem, bearers: list[Bearer], wanted_apn: str = "") -> Iterator[Finding]:
    """What there is to say of one modem."""
    sim = _sim(modem)
    yield sim
    if sim.outcome == "fail":
        return
    yield _signal(modem)
    yield _apn(bearers, wanted_apn)


def _sim(modem: Modem) -> Finding:
    if modem.failed == "sim-missing" or (not modem.sim and modem.state in {"failed", ""}):
        return fail("modem.sim", "modem.no_sim")
    if modem.lock in {"sim-pin", "sim-puk", "sim-pin2", "sim-puk2"} and modem.state in {"locked", "failed"}:
        return fail("modem.sim", "modem.locked", lock=modem.lock)
    if modem.state == "failed":
        return fail("modem.sim", "modem.failed", reason=modem.failed or "?")
    if modem.registration == "denied":
        return fail("modem.sim", "modem.denied", operator=modem.operator or "?")
    return ok("modem.sim", "modem.sim_well", operator=modem.operator or "?")


def _signal(modem: Modem) -> Finding:
    facts: dict[str, Any] = {"percent": modem.signal_percent or 0, "technology": modem.technology or "?"}
    if modem.state == "disabled":
        return fail("modem.signal", "modem.disabled")
    if modem.registration not in _REGISTERED or (modem.signal_percent or 0) < NONE_PERCENT:
        return fail("modem.signal", "modem.no_signal", **facts)
    if (modem.signal_percent or 0) < WEAK_PERCENT:
        return warn("modem.signal", "modem.weak", **facts)
    return ok("modem.signal", "modem.signal_well", **facts)


def _apn(bearers: list[Bearer], wanted: str) -> Finding:
    used = next((bearer for bearer in bearers if bearer.connected), None)
    if used is None:
        tried = ", ".join(bearer.apn for bearer in bearers if bearer.apn) or "-"
        return fail("modem.apn", "modem.no_data", apn=tried)
    if wanted and used.apn != wanted:
        return warn("modem.apn", "modem.other_apn", apn=used.apn, wanted=wanted)
    return ok("modem.apn", "modem.apn_well", apn=used.apn or "-")


def check(place: Place) -> Iterator[Finding]:
    """The first modem; a stick that the kernel sees and ModemManager does not is said, too."""
    ran = place.run(["mmcli", "-L", "-J"], _TIMEOUT_S)
    paths = parse_list(ran.out) if ran is not None else []
    if not paths:
        if stick := _stick(place):
            yield warn("modem.sim", "modem.unmanaged", driver=stick)
        return
    shown = place.run(["mmcli", "-m", paths[0], "-J"], _TIMEOUT_S)
    modem = parse_modem(shown.out) if shown is not None else None
    if modem is None:
        yield fail("modem.sim", "modem.silent")
        return
    bearers = []
    for path in modem.bearers:
        told = place.run(["mmcli", "-b", path, "-J"], _TIMEOUT_S)
        bearer = parse_bearer(told.out) if told is not None else None
        bearers += [bearer] if bearer is not None else []
    yield from judge(modem, bearers, _wanted_apn(place))


def _wanted_apn(place: Place) -> str:
    """The APN of the connection that the first boot made out of ttdn.toml; empty if there is none."""
    ran = place.run(["nmcli", "-g", "gsm.apn", "connection", "show", APN_CONNECTION], _TIMEOUT_S)
    return ran.out.strip() if ran is not None and ran.code == 0 else ""


def _stick(place: Place) -> str:
    """The driver of a mobile modem on the bus; empty if there is none."""
    drivers = {
        link.resolve().name for link in place.root.glob("sys/class/net/*/device/driver") if link.parent.parent.exists()
    }
    return next((name for name in _STICKS if name in drivers), "")


def _json(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _dig(told: Any, *keys: str) -> Any:
    for key in keys:
        told = told.get(key) if isinstance(told, dict) else None
    return told


def _word(told: Any, *keys: str) -> str:
    word = _dig(told, *keys)
    return word if isinstance(word, str) and word != _NOTHING else ""
