"""The hub over HTTPS, for enrolment and renewal: first who it is, then everything else to that one alone."""

from __future__ import annotations

import errno
import http.client
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import msgspec

from contract.enrol import AUTHORITY_PATH, Enrolled, EnrolRefused, EnrolRequest, RenewRequest
from contract.enrol_code import authority_fingerprint
from edge_agent.identity.errors import StepFailed
from edge_agent.tls import Moment, client_context

TIMEOUT_S: Final = 30.0
_MAX_ANSWER_BYTES: Final = 64 * 1024
_LINK: Final = "/enrol#"
_HOSTNAME_MISMATCH: Final = (62, 64)
"""X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH."""

_NO_ROUTE: Final = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN, errno.EADDRNOTAVAIL)


class Address(NamedTuple):
    """Where the hub answers."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """As people write it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"https://{host}" if self.port == 443 else f"https://{host}:{self.port}"


def parse_url(text: str) -> Address:
    """The address in what somebody typed; https:// may be left out. StepFailed if it is none."""
    typed = text.strip()
    try:
        parts = urlsplit(typed if "://" in typed else f"https://{typed}")
        port = parts.port or 443
    except ValueError as error:
        raise StepFailed("bad_url", text) from error
    simple = not (parts.path.strip("/") or parts.query or parts.fragment or parts.username or parts.password)
    if parts.scheme != "https" or not parts.hostname or not simple or any(letter.isspace() for letter in typed):
        raise StepFailed("bad_url", text)
    return Address(parts.hostname, port)


def split_link(text: str) -> tuple[str, str]:
    """Address and code, where somebody pasted what the QR code says; else what was given, and no code."""
    url, _, code = text.partition(_LINK)
    return url, code


class HubLink:
    """The hub at one address, as seen by a kiosk at that moment."""

    def __init__(self, url: str, now: Callable[[], Moment], timeout_s: float = TIMEOUT_S) -> None:
        self.address = parse_url(url)
        self._now, self._timeout_s = now, timeout_s

    def authority(self, fingerprint: bytes) -> str:
        """The hub's certificate authority in PEM, if it is the one of the code. Nothing secret is sent.

        Whoever answers is asked without checking who it is: only the code's fingerprint tells.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        status, body = self._ask(context, "GET", AUTHORITY_PATH, None)
        if status != http.client.OK:
            raise self._unexpected(status)
        try:
            pem = body.decode("ascii").strip() + "\n"
            der = ssl.PEM_cert_to_DER_cert(pem)
        except (UnicodeDecodeError, ValueError) as error:
            raise self._failed("not_hub", "no certificate") from error
        if authority_fingerprint(der) != fingerprint:
            raise self._failed("wrong_authority")
        return ssl.DER_cert_to_PEM_cert(der)

    def request(self, path: str, message: EnrolRequest | RenewRequest, authority: Path) -> Enrolled:
        """Ask the hub, verified against `authority` alone. StepFailed says what it refuses or why not reached."""
        context = client_context(authority, None, self._now)
        status, body = self._ask(context, "POST", path, msgspec.json.encode(message))
        if status in (http.client.OK, http.client.CREATED):
            try:
                return msgspec.json.decode(body, type=Enrolled)
            except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                raise self._failed("bad_answer", str(error)) from error
        raise self._refused(status, body, renewal=isinstance(message, RenewRequest))

    def _refused(self, status: int, body: bytes, *, renewal: bool) -> StepFailed:
        try:
            refusal = msgspec.json.decode(body, type=EnrolRefused)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return self._unexpected(status)
        if refusal.error == "too_many":
            wait_s = refusal.retry_after_s or 60
            return StepFailed("too_many", str(wait_s), retry_after_s=wait_s)
        if refusal.error == "refused":
            return self._failed("renewal_refused" if renewal else "refused", refusal.detail)
        return self._failed("malformed", refusal.detail)

    def _unexpected(self, status: int) -> StepFailed:
        down = status >= http.client.INTERNAL_SERVER_ERROR
        return self._failed("hub_down" if down else "not_hub", f"HTTP {status}")

    def _ask(self, context: ssl.SSLContext, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        host, port = self.address
        connection = http.client.HTTPSConnection(host, port, timeout=self._timeout_s, context=context)
        headers = {"Content-Type": "application/json"} if body is not None else {}
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read(_MAX_ANSWER_BYTES)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._failed(*_why(error)) from error
        finally:
            connection.close()

    def _failed(self, code: str, detail: str = "") -> StepFailed:
        return StepFailed(code, detail, host=self.address.host, port=self.address.port)


def _why(error: Exception) -> tuple[str, str]:
    """Code and detail of what a connection ended with."""
    match error:
        case ssl.SSLCertVerificationError():
            return _distrust(error)
        case socket.gaierror():
            return "no_dns", ""
        case ConnectionRefusedError():
            return "closed", ""
        case TimeoutError():
            return "timeout", ""
        case UnicodeError() | ValueError():
            return "no_dns", ""
        case OSError(errno=int()) if error.errno in _NO_ROUTE:
            return "no_route", ""
        case _:
            return "broken", str(error) or type(error).__name__


def _distrust(error: ssl.SSLCertVerificationError) -> tuple[str, str]:
    code: Any = getattr(error, "verify_code", None)
    if code in _HOSTNAME_MISMATCH:
        return "wrong_name", ""
    if code is not None:
        return "untrusted", str(getattr(error, "verify_message", ""))
    detail = str(error.args[-1]) if error.args else ""
    return ("hub_expired" if "expired" in detail else "clock"), detail
