"""Reaching the hub: who gets the secret, who does not, and what a technician is told."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from contract.enrol import DEVICES_PATH, EnrolRefused
from edge_agent.clock import wall_ms
from edge_agent.identity.errors import StepFailed
from edge_agent.identity.hub_link import HubLink, parse_url, split_link
from edge_agent.identity.steps import Means, enrol
from edge_agent.identity.store import IdentityStore
from edge_agent.identity.texts import FIRST_BOOT, STEPS, TROUBLES, code_hint
from edge_agent.tls import Moment
from simulator.ports import HOST
from tests.edge_agent.hand_hub import dead_port
from tests.edge_agent.identity.hand_authority import HandAuthority, HandEnrolment, now, serving


def certain(floor_ms: int) -> Moment:
    return Moment(max(floor_ms, wall_ms()), certain=True)


def fails(folder: Path, url: str, hub: HandEnrolment, *, moment: Moment | None = None) -> StepFailed:
    """Nothing is enrolled, and what was begun is there to be gone on with."""
    store = IdentityStore(folder)
    means = Means(now=lambda floor_ms: moment or certain(floor_ms))
    with pytest.raises(StepFailed) as raised:
        enrol(store, url, hub.add(hub.authority.code()), means)
    assert store.current() is None
    assert hub.certificates == {}
    return raised.value


def secrets_seen(hub: HandEnrolment) -> list[bytes]:
    return [body for _, body in hub.asked if body]


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("https://hub.example.vn", "https://hub.example.vn"),
        (" hub.example.vn/ ", "https://hub.example.vn"),
        ("hub.example.vn:8443", "https://hub.example.vn:8443"),
        ("https://[::1]:444", "https://[::1]:444"),
        ("https://192.0.2.1", "https://192.0.2.1"),
    ],
)
def test_addresses(typed: str, url: str) -> None:
    assert parse_url(typed).url == url


@pytest.mark.parametrize("typed", ["", "http://h", "https://", "https://h/a", "h:x", "a b", "https://u:p@h", "h:99999"])
def test_what_is_no_address(typed: str) -> None:
    with pytest.raises(StepFailed) as raised:
        parse_url(typed)
    assert raised.value.misuse
    assert "https://" in raised.value.text("vi")


def test_the_link_of_the_qr_code() -> None:
    assert split_link("https://h/enrol#ABC") == ("https://h", "ABC")
    assert split_link("https://h") == ("https://h", "")


def test_an_interceptor_gets_no_secret(hub: HandEnrolment, tmp_path: Path) -> None:
    """Its own certificate, of its own authority; it may even show the hub's real one, which anybody can have."""
    forged = HandAuthority("interceptor")
    between = HandEnrolment(forged)
    between.devices = hub.devices
    with serving(between, forged.server(tmp_path / "forged.pem")) as url:
        error = fails(tmp_path / "a", url, hub)
        assert error.code == "wrong_authority"
        between.shown = hub.authority.pem
        error = fails(tmp_path / "b", url, hub)
        assert error.code == "untrusted"
    assert "NGUY HIỂM" in error.text("vi")
    assert between.asked
    assert secrets_seen(between) == []
    assert not error.passes


@contextmanager
def of_certificate(hub: HandEnrolment, file: Path) -> Iterator[str]:
    with serving(hub, file) as url:
        yield url


def test_a_hub_whose_certificate_is_out_of_date_or_for_another_name(hub: HandEnrolment, tmp_path: Path) -> None:
    authority = hub.authority
    old = authority.server(tmp_path / "old.pem", begins=now() - timedelta(days=20), days=10)
    with of_certificate(hub, old) as url:
        assert fails(tmp_path / "a", url, hub).code == "hub_expired"
    early = authority.server(tmp_path / "early.pem", begins=now() + timedelta(days=2))
    with of_certificate(hub, early) as url:
        assert fails(tmp_path / "b", url, hub).code == "clock"
    other = authority.server(tmp_path / "other.pem", host="elsewhere.example.vn")
    with of_certificate(hub, other) as url:
        assert fails(tmp_path / "c", url, hub).code == "wrong_name"
    assert secrets_seen(hub) == []


def test_a_clock_of_1970_enrols_and_an_expired_hub_is_seen_by_the_codes_own_time(
    hub: HandEnrolment, tmp_path: Path
) -> None:
    means = Means(now=lambda floor_ms: Moment(floor_ms, certain=False))
    code = hub.add(hub.authority.code())
    assert enrol(IdentityStore(tmp_path / "a"), hub.url, code, means).hub.device
    old = hub.authority.server(tmp_path / "old.pem", begins=now() - timedelta(days=20), days=10)
    with serving(hub, old) as url, pytest.raises(StepFailed) as raised:
        enrol(IdentityStore(tmp_path / "b"), url, code, means)
    assert raised.value.code == "hub_expired"


def test_no_way_to_the_hub(hub: HandEnrolment, tmp_path: Path) -> None:
    with dead_port() as port:
        closed = fails(tmp_path / "a", f"{HOST}:{port}", hub)
    assert (closed.code, closed.passes) == ("closed", True)
    unknown = fails(tmp_path / "b", "no-such-host.invalid", hub)
    assert (unknown.code, unknown.passes) == ("no_dns", True)
    assert "no-such-host.invalid" in unknown.text("vi")
    with socket.create_server((HOST, 0)) as silent:
        link = HubLink(f"https://{HOST}:{silent.getsockname()[1]}", lambda: certain(0), timeout_s=0.2)
        with pytest.raises(StepFailed) as raised:
            link.authority(b"")
    assert raised.value.code == "timeout"


@pytest.mark.parametrize(
    ("status", "refusal", "code", "passes"),
    [
        (403, EnrolRefused(error="refused"), "refused", False),
        (429, EnrolRefused(error="too_many", retry_after_s=30), "too_many", True),
        (400, EnrolRefused(error="malformed", detail="no \x1b[2J csr"), "malformed", False),
    ],
)
def test_refusals(
    hub: HandEnrolment, tmp_path: Path, status: int, refusal: EnrolRefused, code: str, passes: bool
) -> None:
    hub.refusal = status, refusal
    error = fails(tmp_path, hub.url, hub)
    assert (error.code, error.passes, error.retry_after_s) == (code, passes, refusal.retry_after_s)
    assert "\x1b" not in error.text("en"), "a stranger's text reaches a terminal"
    pending = IdentityStore(tmp_path).pending()
    assert (pending is None) == (code == "refused"), "only a refusal is the end of it"


def test_answers_that_are_not_kept(hub: HandEnrolment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = hub.answer

    def answered(body: bytes) -> None:
        monkeypatch.setattr(hub, "answer", lambda path, b: (200, body) if path == DEVICES_PATH else real(path, b))

    answered(b"<html>login first</html>")
    assert fails(tmp_path, hub.url, hub).code == "bad_answer"
    monkeypatch.setattr(hub, "answer", lambda _path, _body: (200, b"<html>login first</html>"))
    assert fails(tmp_path, hub.url, hub).code == "not_hub"


def test_every_text_is_in_both_languages_and_fills() -> None:
    fields = {"detail": "d", "host": "h", "port": 1, "url": "u", "device": "x", "until": "y"}
    for table in (STEPS, TROUBLES, FIRST_BOOT):
        for text in table.values():
            for said in (text.said("vi", **fields), text.said("en", **fields)):
                assert said
                assert "{" not in said
            assert text.vi != text.en


def test_hints_on_a_code_are_vietnamese() -> None:
    assert code_hint("the code has 3 characters; expected 40, hyphens apart", "vi").startswith("mã có 3 ký tự")
    assert code_hint("character 2 of group 5 is in no code", "vi") == "ký tự thứ 2 của nhóm 5 không thể có trong mã"
    assert code_hint("anything else", "vi") == code_hint("anything else", "en") == "anything else"


def test_a_bad_code_is_told_in_each_language() -> None:
    failed = StepFailed("bad_code", "the code has 3 characters; expected 40, hyphens apart")
    assert "mã có 3 ký tự" in failed.text("vi")
    assert "the code has 3 characters" in failed.text("en")
    assert "ký tự" not in failed.text("en")
