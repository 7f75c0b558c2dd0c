"""From settings and identity to who we are and which brokers we go to. What the settings say wins."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from edge_agent.config import AgentSettings, BrokerSettings
from edge_agent.errors import AgentError, ConfigError
from edge_agent.identity.store import Identity, IdentityStore, read_identity
from edge_agent.mqtt import Broker
from edge_agent.tls import Moment, client_context

_ENROL: Final = "enrol this device: ttdn-agent enrol URL CODE"
log = logging.getLogger(__name__)


class NotEnrolled(ConfigError):
    """Neither settings nor an enrolment name a device or its brokers. Enrol it."""


class Way(NamedTuple):
    """Who we are to the brokers, and where they are, in the order of trying."""

    device: str
    brokers: list[Broker]
    identity: Identity | None
    """The generation in use; None if none is."""


def find_way(settings: AgentSettings, now: Callable[[int], Moment]) -> Way:
    """NotEnrolled if neither settings nor enrolment name a device or a broker; AgentError if files cannot be used.

    Brokers of the settings are shown the certificate where no password is set for them.
    """
    identity = read_identity(Path(settings.state_folder))
    device = settings.device or (identity.hub.device if identity is not None else "")
    if not device:
        raise NotEnrolled(f"neither the configuration nor an enrolment says which device this is; {_ENROL}")
    if settings.mqtt.brokers:
        return _by_settings(settings, device, identity, now)
    if identity is None:
        raise NotEnrolled(f"mqtt.brokers: no broker is set, and no enrolment says where they are; {_ENROL}")
    _refuse_another(device, identity)
    generations = [identity, *IdentityStore(Path(settings.state_folder)).earlier()]
    return Way(device, _of_all(generations, now), identity)


def _of_all(generations: list[Identity], now: Callable[[int], Moment]) -> list[Broker]:
    """The newest first; one that OpenSSL does not take is passed over while there is another."""
    brokers: list[Broker] = []
    for number, one in enumerate(generations, 1):
        try:
            brokers += _enrolled(one, now)
        except AgentError as error:
            if number == len(generations) and not brokers:
                raise
            log.error("%s", error)  # noqa: TRY400 - another one serves
    return brokers


def _enrolled(identity: Identity, now: Callable[[int], Moment]) -> list[Broker]:
    tls = _shown(identity, identity.authority, now)
    return [
        Broker(broker.host, broker.port, "", "", tls, broker.transport, broker.path, identity.name)
        for broker in identity.hub.brokers
    ]


def _by_settings(settings: AgentSettings, device: str, identity: Identity | None, now: Callable[[int], Moment]) -> Way:
    password = settings.password()
    shown = identity if not settings.mqtt.password_file else None
    if shown is not None and any(broker.tls for broker in settings.mqtt.brokers):
        _refuse_another(device, shown)
    else:
        shown = None
    name = "" if shown is not None else device
    brokers = [
        Broker(
            broker.host,
            broker.port,
            name,
            password,
            _tls(broker, shown, now) if broker.tls else None,
            broker.transport,
            broker.path,
            shown.name if shown is not None and broker.tls else "",
        )
        for broker in settings.mqtt.brokers
    ]
    return Way(device, brokers, shown)


def _refuse_another(device: str, identity: Identity) -> None:
    if device != identity.hub.device:
        raise ConfigError(
            f"device: the configuration says {device}, the certificate {identity.hub.device}; "
            "take the line out of the configuration, or enrol again with a code for that device"
        )


def _tls(broker: BrokerSettings, shown: Identity | None, now: Callable[[int], Moment]) -> ssl.SSLContext:
    if shown is not None:
        return _shown(shown, Path(broker.ca_file) if broker.ca_file else shown.authority, now)
    try:
        return client_context(Path(broker.ca_file) if broker.ca_file else None, None, lambda: now(0))
    except OSError as error:
        raise ConfigError(
            f"mqtt.brokers: ca_file {broker.ca_file}: {error}; give a PEM file that the agent can read"
        ) from error


def _shown(identity: Identity, authority: Path, now: Callable[[int], Moment]) -> ssl.SSLContext:
    try:
        return client_context(authority, identity.files, lambda: now(identity.floor_ms))
    except OSError as error:
        what = f"the certificate in {identity.folder} or the authority {authority} cannot be used: {error}"
        raise AgentError(f"{what}; {_ENROL} --again") from error
