"""Where a request comes from, told by its headers and its peer."""

from __future__ import annotations

import pytest
from fastapi import Request

from hub.api.origin import is_local, is_private, sender


def request(
    peer: str | None = "127.0.0.1", scheme: str = "http", host: str = "127.0.0.1:8000", **headers: str
) -> Request:
    sent = {"host": host} | {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(
        {
            "type": "http",
            "method": "POST",
            "scheme": scheme,
            "path": "/login",
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
            "client": (peer, 50_000) if peer is not None else None,
            "server": ("127.0.0.1", 8000),
        }
    )


@pytest.mark.parametrize(
    "asked",
    [
        request(),
        request(host="localhost:8000"),
        request(peer="::1", host="[::1]:8000"),
        request(peer="127.8.9.1"),
    ],
)
def test_of_this_machine(asked: Request) -> None:
    assert is_local(asked)
    assert is_private(asked)


@pytest.mark.parametrize(
    "asked",
    [
        request(peer="203.0.113.7"),
        request(peer=None),
        request(host="hub.example"),
        request(host="hub.example:8000", peer="::1"),
        request(x_forwarded_for="127.0.0.1"),
        request(forwarded="for=127.0.0.1"),
        request(via="1.1 proxy"),
        request(x_real_ip=""),
        request(peer="127.0.0.1.example"),
    ],
)
def test_not_of_this_machine(asked: Request) -> None:
    assert not is_local(asked)
    assert not is_private(asked)


def test_tls_is_private_from_anywhere() -> None:
    assert is_private(request(peer="203.0.113.7", scheme="https", host="hub.example"))


@pytest.mark.parametrize(
    ("asked", "who"),
    [
        (request(), "unsaid"),
        (request(sec_fetch_site="same-origin"), "own"),
        (request(sec_fetch_site="same-origin", origin="null"), "own"),
        (request(sec_fetch_site="cross-site"), "foreign"),
        (request(sec_fetch_site="same-site"), "foreign"),
        (request(sec_fetch_site="cross-site", x_requested_with="x"), "foreign"),
        (request(sec_fetch_site="cross-site", origin="http://127.0.0.1:8000"), "foreign"),
        (request(sec_fetch_site="none"), "unsaid"),
        (request(origin="http://127.0.0.1:8000"), "own"),
        (request(origin="HTTP://127.0.0.1:8000"), "own"),
        (request(origin="http://127.0.0.1:8001"), "foreign"),
        (request(origin="http://localhost:8000"), "foreign"),
        (request(origin="https://127.0.0.1:8000"), "foreign"),
        (request(origin="null"), "foreign"),
        (request(origin="http://evil.example", x_requested_with="x"), "foreign"),
        (request(x_requested_with="curl"), "own"),
        (request(scheme="https", host="hub.example", origin="https://hub.example"), "own"),
        (request(scheme="https", host="hub.example", origin="http://hub.example"), "foreign"),
    ],
)
def test_whose_page_sent_it(asked: Request, who: str) -> None:
    assert sender(asked) == who
