"""TLS on a machine that may not know what time it is.

A kiosk has no battery-backed clock: where NTP is blocked it starts in 1970 or at its last shutdown, and every
certificate looks as if it were from the future. What it does know is a floor, a time that is past for sure. So dates
are checked by us and not by OpenSSL: against the time where it is certain, else only that nothing expired before the
floor. Names, signatures and the authority are OpenSSL's business as ever.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

_NO_CHECK_TIME: Final = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME of x509_vfy.h; the ssl module has no name for it."""


class Moment(NamedTuple):
    """`certain`: it is this time now. Else it is this time or any later one."""

    time_ms: int
    certain: bool


def client_context(
    ca_file: Path | None, identity: tuple[Path, Path] | None, now: Callable[[], Moment]
) -> ssl.SSLContext:
    """Trust `ca_file` (None: the system's authorities); show `identity` (certificate and key files) if asked.

    OSError, of which ssl.SSLError is one, if a file cannot be used. A handshake with a server whose certificate is out
    of date raises ssl.SSLCertVerificationError.
    """
    context = ssl.create_default_context(cafile=ca_file)
    if identity is not None:
        context.load_cert_chain(*identity, password="")
    context.verify_flags |= ssl.VerifyFlags(_NO_CHECK_TIME)
    context.sslsocket_class = type("DatedSocket", (_DatedSocket,), {"now": staticmethod(now)})
    return context


class _DatedSocket(ssl.SSLSocket):
    """Looks at the server's dates once the handshake is done."""

    now: Callable[[], Moment]

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 - ssl's own signature
        super().do_handshake(block)
        check_dates(self.getpeercert() or {}, type(self).now())


def check_dates(certificate: dict[str, Any], now: Moment) -> None:
    """ssl.SSLCertVerificationError if a certificate, as getpeercert gives it, cannot be good at that time."""
    begins_ms, ends_ms = (
        int(ssl.cert_time_to_seconds(str(certificate[key]))) * 1000 for key in ("notBefore", "notAfter")
    )
    if ends_ms < now.time_ms:
        raise ssl.SSLCertVerificationError(f"the server's certificate expired on {_day(ends_ms)}; renew it at the hub")
    if now.certain and begins_ms > now.time_ms:
        raise ssl.SSLCertVerificationError(f"the server's certificate is valid from {_day(begins_ms)} only")


def _day(time_ms: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(time_ms / 1000))
