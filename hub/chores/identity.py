"""The chore that makes brokers follow what was revoked, and keeps certificates of servers fresh.

What holds stands in the database; every step here can be done again, so whatever was cut off by a power cut, or was to
be done while the hub was down, is done by the next pass. A session that is open when its certificate is revoked is
ended by the hub: it connects under the same client id. That is repeated until the broker has certainly read the list
(a certificate that the list revokes is refused) and nobody can be left who had shown a certificate before.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import psycopg

from hub.chores.broker_call import CallFailed, Entrance, OwnWay, Verdict, take_over, try_canary
from hub.chores.chore import GoOn, always
from hub.config import BrokerSettings, HubSettings
from hub.pki import publication
from hub.pki.folder import PkiFolder
from hub.store import revocation as store

HOLD: Final = timedelta(seconds=150)
"""A broker lets a connection that has shown its certificate wait for 90 s before it says who it is."""
log = logging.getLogger(__name__)


def keep_identities(
    connection: psycopg.Connection[Any], settings: HubSettings, now: datetime, go_on: GoOn = always
) -> bool:
    """One pass; nothing where this hub has no authority."""
    folder = PkiFolder(settings.pki)
    if not settings.pki.is_set or not folder.exists():
        return False
    keep_files(folder, settings, store.revoked(connection, now), now)
    waiting = store.to_cut_off(connection)
    if not waiting:
        return False
    # Also those that have been enrolled anew: their new session comes back at once, the one before it does not.
    if _cut_off(settings, folder, waiting, go_on) and now >= _written_at(folder) + HOLD:
        store.cut_off(connection, waiting, now - HOLD, now)
        log.info("cut off for good: %s", ", ".join(waiting))
    return False


def keep_files(folder: PkiFolder, settings: HubSettings, revoked: dict[str, datetime], now: datetime) -> None:
    """Certificates of servers and the list, in the authority's folder and where broker and proxy read them."""
    made = folder.keep(revoked, now)
    for server in made.servers:
        log.info("the certificate of the %s server was renewed", server)
    pki = settings.pki
    for place, contents in (
        (pki.broker_folder, publication.renewed_at_broker(pki)),
        (pki.proxy_folder, publication.renewed_at_proxy(pki)),
    ):
        for name in publication.write(place, contents):
            log.info("%s is new: whoever reads it has to reload", place / name)


class Asked(NamedTuple):
    """What a broker does with somebody whom the present list revokes."""

    broker: str
    verdict: Verdict
    error: str = ""


def ask_brokers(settings: HubSettings, folder: PkiFolder) -> list[Asked]:
    """Every broker that the hub uses, by the port at which devices come in."""
    pki, asked = settings.pki, []
    for one in settings.mqtt.brokers:
        entrance = Entrance(one.host, pki.mqtt_port, pki.mqtt_name, folder.authority().pem)
        try:
            asked.append(Asked(one.name, try_canary(entrance, folder.canary_file)))
        except CallFailed as error:
            asked.append(Asked(one.name, "unknown", str(error)))
    return asked


def _cut_off(settings: HubSettings, folder: PkiFolder, devices: list[str], go_on: GoOn) -> bool:
    """End the sessions of these devices at every broker; whether all brokers are proved to let none in again."""
    asked = ask_brokers(settings, folder)
    for one in asked:
        if one.verdict != "refused":
            why = one.error or "reload it"
            log.warning("broker %s has not read the new revocation list yet (%s): %s", one.broker, one.verdict, why)
    ended = [_end_sessions(settings, broker, devices, go_on) for broker in settings.mqtt.brokers]
    return all(ended) and all(one.verdict == "refused" for one in asked)


def _end_sessions(settings: HubSettings, broker: BrokerSettings, devices: list[str], go_on: GoOn) -> bool:
    mqtt = settings.mqtt
    way = OwnWay(broker.host, broker.port, mqtt.username, mqtt.secret(), broker.ssl_context())
    try:
        for device in devices:
            if not go_on():
                return False
            take_over(way, device)
    except CallFailed as error:
        log.warning("sessions of revoked devices cannot be ended now: %s", error)
        return False
    return True


def _written_at(folder: PkiFolder) -> datetime:
    """When the list was written by this machine's clock."""
    return datetime.fromtimestamp(folder.crl_file.stat().st_mtime, UTC)
