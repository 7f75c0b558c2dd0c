"""Where a request comes from: this machine or another, over TLS or not, from our own page or a foreign one. Pure."""

from __future__ import annotations

from typing import Final, Literal

from fastapi import Request

from hub.config import is_loopback

OWN_HEADER: Final = "X-Requested-With"
"""No page of another site can send it: a browser asks us first, and is never answered."""
_FORWARDED: Final = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via")
Sender = Literal["own", "foreign", "unsaid"]


def address(request: Request) -> str | None:
    """The asker's address: for limits in memory, never for a log or a table."""
    return request.client.host if request.client is not None else None


def is_local(request: Request) -> bool:
    """Asked on this machine, by an address of this machine, and not handed on by a proxy that says so."""
    named = request.url.hostname
    return (
        is_loopback(address(request) or "")
        and named is not None
        and is_loopback(named)
        and not any(header in request.headers for header in _FORWARDED)
    )


def is_private(request: Request) -> bool:
    """Nobody on the way reads it: TLS, or it does not leave this machine."""
    return request.url.scheme == "https" or is_local(request)


def sender(request: Request) -> Sender:
    """Whose page sent it, as browsers tell; programs say nothing, or `OWN_HEADER`.

    Sec-Fetch-Site decides where it is sent: a page whose referrer policy is strict sends Origin: null of itself.
    """
    site = request.headers.get("sec-fetch-site")
    if site in {"cross-site", "same-site"}:
        return "foreign"
    if site == "same-origin":
        return "own"
    origin = request.headers.get("origin")
    if origin is not None:
        own = f"{request.url.scheme}://{request.url.netloc}"
        return "own" if origin.lower() == own.lower() else "foreign"
    return "own" if OWN_HEADER in request.headers else "unsaid"
