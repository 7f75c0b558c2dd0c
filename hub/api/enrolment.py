"""Certificates for kiosks over HTTPS, as contract/enrol.py says: by a one-use code, and by the certificate before.

Nobody logs in here. What is refused is refused in the same words whatever is wrong with the code; the reason stands in
log and metrics, and neither code nor address does.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, TypeVar

import msgspec
from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from contract.enrol import (
    AUTHORITY_PATH,
    DEVICES_PATH,
    MAX_ENROL_BYTES,
    RENEWALS_PATH,
    BrokerAddress,
    Enrolled,
    EnrolRefused,
    EnrolRequest,
    RenewRequest,
)
from hub.api.limits import Limits, TooMany
from hub.api.origin import address, is_private
from hub.config import PkiSettings
from hub.errors import ConfigError
from hub.metrics import HubMetrics
from hub.people.throttle import network_of
from hub.pki.authority import Authority, PublicKey, issue_device, serial_of
from hub.pki.codes import hash_of
from hub.pki.folder import NoAuthority, PkiFolder
from hub.pki.requests import Malformed, NotOurs, check_renewal, key_of, read_certificate, read_request, spki_sha256
from hub.store import enrolment as store
from hub.store.enrolment import Issued, Refused, Sign
from hub.store.moment import unix_ms
from hub.store.people import PeoplePool

PREFIX: Final = "/enrol/v1/"
_REFUSED: Final = (
    "mã không đúng, đã dùng hoặc hết hạn; xin mã mới / the code is wrong, used or expired; ask for another one"
)
_NOT_RENEWED: Final = (
    "chứng thư này không gia hạn được; đăng ký lại bằng mã mới / this certificate is not renewed; enrol with a new code"
)
_NOT_HERE: Final = "trung tâm này chưa nhận đăng ký / this hub enrols nobody yet; see: ttdn-hub pki status"
_INSECURE: Final = "chỉ nhận qua https / by https only"
_PEM: Final = "application/x-pem-file"
_T = TypeVar("_T")
log = logging.getLogger(__name__)


class Desk:
    """Where certificates are asked for. Thread-safe."""

    def __init__(
        self,
        settings: PkiSettings,
        pool: PeoplePool,
        limits: Limits,
        metrics: HubMetrics,
        clock: Callable[[], datetime],
    ) -> None:
        self._settings, self._pool, self._limits = settings, pool, limits
        self._metrics, self._clock = metrics, clock
        self._folder = PkiFolder(settings)

    def authority_pem(self) -> str:
        """The authority's certificate; HTTPException 503 if there is none."""
        return self._authority().pem

    def enrol(self, body: bytes, network: str) -> Response:
        """Answer a request with a code."""
        return self._answer("enrol", body, network, EnrolRequest, self._enrol)

    def renew(self, body: bytes, network: str) -> Response:
        """Answer a request with a certificate."""
        return self._answer("renew", body, network, RenewRequest, self._renew)

    # -- inside -----------------------------------------------------------------------------------------------

    def _answer(
        self, what: str, body: bytes, network: str, kind: type[_T], issue: Callable[[_T, Authority], Issued]
    ) -> Response:
        counted = self._metrics.enrolments
        try:
            self._limits.count_enrolment(network)
            issued = issue(_decode(body, kind), self._authority())
        except TooMany as error:
            counted.labels(what, "too_many").inc()
            log.warning("%s: too many requests", what)
            return refusal(error)
        except Malformed as error:
            counted.labels(what, "malformed").inc()
            self._limits.count_refused_enrolment(network)
            log.warning("%s: malformed: %s", what, error)
            return _refused(400, EnrolRefused(error="malformed", detail=str(error)))
        except Refused as error:
            counted.labels(what, error.reason).inc()
            self._limits.count_refused_enrolment(network)
            log.warning("%s refused: %s", what, error)
            return _refused(403, EnrolRefused(error="refused", detail=_REFUSED if what == "enrol" else _NOT_RENEWED))
        except HTTPException:
            counted.labels(what, "unavailable").inc()
            raise
        counted.labels(what, "again" if issued.again else "issued").inc()
        log.info("%s: %s has its certificate%s", what, issued.device, " again" if issued.again else "")
        return self._enrolled(issued)

    def _enrol(self, request: EnrolRequest, authority: Authority) -> Issued:
        key = key_of(read_request(request.csr))
        now = self._clock()
        sign = self._signer(authority, key, now)
        with self._pool.connection() as connection:
            return store.enrol(connection, hash_of(bytes.fromhex(request.secret)), spki_sha256(key), now, sign)

    def _renew(self, request: RenewRequest, authority: Authority) -> Issued:
        csr, present = read_request(request.csr), read_certificate(request.certificate)
        key, now, grace = key_of(csr), self._clock(), timedelta(days=self._settings.renewal_grace_days)
        try:
            check_renewal(authority, present, csr, request.signature, now, grace)
        except NotOurs as error:
            log.warning("renew: %s", error)
            raise Refused("wrong") from None
        sign = self._signer(authority, key, now)
        with self._pool.connection() as connection:
            return store.renew(connection, serial_of(present), spki_sha256(key), now, sign)

    def _signer(self, authority: Authority, key: PublicKey, now: datetime) -> Sign:
        return lambda device: issue_device(authority, device, key, now, self._settings.certificate_days)

    def _authority(self) -> Authority:
        if not self._settings.is_set:
            raise HTTPException(503, _NOT_HERE)
        try:
            return self._folder.authority()
        except NoAuthority:
            raise HTTPException(503, _NOT_HERE) from None
        except ConfigError as error:
            log.error("no certificate can be issued: %s", error)  # noqa: TRY400 - it says all there is to say
            raise HTTPException(503, _NOT_HERE) from None

    def _enrolled(self, issued: Issued) -> Response:
        answer = Enrolled(
            device=issued.device,
            certificate=issued.pem,
            authority=self._authority().pem,
            brokers=broker_addresses(self._settings),
            url=self._settings.enrol_url,
            hub_time=unix_ms(self._clock()),
            release_key=self._release_key(),
        )
        return Response(msgspec.json.encode(answer), media_type="application/json")

    def _release_key(self) -> str:
        try:
            return self._settings.release_key()
        except ConfigError as error:
            log.error("agents get no key for new versions: %s", error)  # noqa: TRY400 - it says all there is to say
            return ""


def router(desk: Desk) -> APIRouter:
    """The three paths of contract/enrol.py."""
    api = APIRouter(include_in_schema=False)  # docs/schemas has them

    @api.get(AUTHORITY_PATH)
    def authority() -> Response:
        return Response(desk.authority_pem(), media_type=_PEM)

    @api.post(DEVICES_PATH)
    async def devices(request: Request) -> Response:
        return await _asked(request, desk.enrol)

    @api.post(RENEWALS_PATH)
    async def renewals(request: Request) -> Response:
        return await _asked(request, desk.renew)

    return api


def broker_addresses(settings: PkiSettings) -> tuple[BrokerAddress, ...]:
    """Ways to the broker, in the order in which a device tries them."""
    ports = [settings.mqtt_port, *([settings.shared_port] if settings.shared_port else [])]
    return tuple(BrokerAddress(settings.mqtt_name, port) for port in ports)


def refusal(error: HTTPException) -> Response:
    """What is refused before anybody looks at the request, in the contract's words."""
    wait_s = error.wait_s if isinstance(error, TooMany) else 0
    said = EnrolRefused(error="too_many" if wait_s else "refused", detail=str(error.detail)[:512], retry_after_s=wait_s)
    answer = _refused(error.status_code, said)
    answer.headers.update(error.headers or {})
    return answer


async def _asked(request: Request, answer: Callable[[bytes, str], Response]) -> Response:
    if not is_private(request):
        return _refused(403, EnrolRefused(error="refused", detail=_INSECURE))
    if int(request.headers.get("content-length", "0")) > MAX_ENROL_BYTES:  # the application has seen to the number
        return _refused(413, EnrolRefused(error="malformed", detail=f"more than {MAX_ENROL_BYTES} bytes"))
    return await run_in_threadpool(answer, await request.body(), network_of(address(request)))


def _decode(body: bytes, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Malformed(_without_values(error)) from None
    except RecursionError:
        raise Malformed("nested too deeply") from None


def _without_values(error: Exception) -> str:
    """The decoder names kinds and places; what it may quote of a text is cut off."""
    return str(error).split(", got", 1)[0][:200]


def _refused(status: int, said: EnrolRefused) -> Response:
    return Response(msgspec.json.encode(said), status_code=status, media_type="application/json")
