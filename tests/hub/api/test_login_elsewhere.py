"""Login from elsewhere: foreign pages, networks without TLS, proxies, https."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.hub.api.serving import Api, cookie_of, serving
from tests.hub.people.making import PASSWORD

OWN = {"X-Requested-With": "test"}
WRONG = {"name": "nguyen.an", "password": "not the password"}
RIGHT = {"name": "nguyen.an", "password": PASSWORD}


# -- foreign pages ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "null"},
    ],
)
@pytest.mark.usefixtures("person")
def test_a_foreign_page_logs_nobody_in_and_nobody_out(api: Api, headers: dict[str, str]) -> None:
    with api.client() as client:
        assert client.post("/api/v1/login", json=RIGHT, headers=headers).status_code == 403
        form = client.post("/login", data=RIGHT, headers=headers)
        assert (form.status_code, "từ một trang khác" in form.text) == (403, True)
        assert not client.cookies
    with api.session() as client:
        for path in ("/logout", "/api/v1/logout"):
            assert client.post(path, headers=headers).status_code == 403
            assert client.post(path, headers=headers | OWN).status_code == 403
        assert client.post("/api/v1/logout").status_code == 403, "who says nothing is not known to be ours"
        assert client.get("/api/v1/me").status_code == 200
        assert client.post("/api/v1/logout", headers={"Origin": api.address.rstrip("/")}).status_code == 204


# -- over a network ---------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("person")
def test_no_password_is_taken_in_clear_over_a_network(database: str) -> None:
    with serving(database, names=["hub.example"]) as api, api.client() as client:
        remote = {"Host": "hub.example"}
        answer = client.post("/api/v1/login", json=RIGHT, headers=remote)
        page = client.post("/login", data=RIGHT, headers=remote)
        form = client.get("/login", headers=remote)
        assert client.get("/login", headers={"Host": "evil.example"}).status_code == 400
    assert (answer.status_code, "https" in answer.json()["detail"]) == (403, True)
    assert (page.status_code, "set-cookie" in page.headers) == (403, False)
    assert "Hãy mở bằng https" in page.text
    assert "Hãy mở bằng https" in form.text


@pytest.mark.usefixtures("person")
def test_behind_a_proxy_that_is_named(database: str) -> None:
    """Its users have addresses of their own, https is known, and the cookie goes over https only."""
    with serving(database, names=["hub.example"], proxies=["127.0.0.9"]) as api:
        with api.client(address="127.0.0.9") as proxy:
            via = {"Host": "hub.example", "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"}
            own = via | {"Origin": "https://hub.example"}
            answer = proxy.post("/api/v1/login", json=RIGHT, headers=own)
            assert answer.status_code == 204
            assert (cookie_of(answer)["secure"], cookie_of(answer)["httponly"]) == (True, True)
            for _ in range(6):
                last = proxy.post("/api/v1/login", json=WRONG, headers=own)
            assert last.status_code == 429
            other = own | {"X-Forwarded-For": "203.0.113.8"}
            assert proxy.post("/api/v1/login", json=RIGHT, headers=other).status_code == 204
        with api.client(address="127.0.0.10") as liar:
            assert liar.post("/api/v1/login", json=RIGHT, headers=own).status_code == 403


def certificate(folder: Path) -> tuple[str, str]:
    cert, key = str(folder / "cert.pem"), str(folder / "key.pem")
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    made = [
        "-x509",
        "-newkey",
        "rsa:2048",
        "-noenc",
        "-days",
        "2",
        "-out",
        cert,
        "-keyout",
        key,
    ]
    subprocess.run(["openssl", "req", *made, *subject], check=True, capture_output=True)
    return cert, key


@pytest.mark.usefixtures("person")
def test_https_on_all_addresses(database: str, tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    with serving(database, host="0.0.0.0", cert_file=cert, key_file=key) as api:
        assert api.address.startswith("https://0.0.0.0:")
        url = api.address.replace("0.0.0.0", "127.0.0.1")
        context = ssl.create_default_context(cafile=cert)
        with httpx.Client(base_url=url, verify=context, trust_env=False, headers={"Host": "any.example"}) as client:
            answer = client.post("/api/v1/login", json=RIGHT)
            assert answer.status_code == 204
            assert cookie_of(answer)["secure"]


def test_a_network_without_tls_is_warned_of(database: str, caplog: pytest.LogCaptureFixture) -> None:
    with serving(database, host="0.0.0.0"):
        pass
    assert "travel in clear" in caplog.text
