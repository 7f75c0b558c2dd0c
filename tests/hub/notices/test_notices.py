"""Notices: what they say, and that they go out by a real mail server and a real web server."""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message as Handler
from aiosmtpd.smtp import AuthResult
from pydantic import ValidationError

from hub.config import NoticeSettings, NoticeStep
from hub.notices.channels import SIGNATURE, NotSent, send
from hub.notices.message import KINDS, Told, as_json, message
from tests.hub.web_server import Taken, web_server

TOLD = Told(
    id=12,
    kind="content_altered",
    device="bg-20-cma-k1",
    subject="chào-mừng.mp4",
    site="Cửa khẩu Chi Ma",
    province="Lạng Sơn",
    opened_at=datetime(2026, 11, 23, 18, 30, 5, tzinfo=UTC),
    last_at=datetime(2026, 11, 23, 18, 31, 0, tzinfo=UTC),
    times=3,
    detail={},
)


def test_it_says_what_where_since_when_and_what_to_do() -> None:
    said = message(TOLD)
    assert said.subject == "[TTĐN] Nội dung đang phát khác bản đã duyệt: bg-20-cma-k1, Cửa khẩu Chi Ma, Lạng Sơn"
    for part in ("01:30:05 ngày 24/11/2026", "chào-mừng.mp4", "(3 lần)", "Việc cần làm:", "incident acknowledge 12"):
        assert part in said.body


def test_it_says_which_roll_out_has_halted_and_why() -> None:
    detail = {"rollout": 4, "version": "0.2.0", "reason": "it did not work on: bg-20-cma-k1"}
    said = message(dataclasses.replace(TOLD, kind="rollout_halted", subject="", detail=detail)).body
    assert "Đợt cập nhật số 4: phiên bản 0.2.0\nLý do: it did not work on: bg-20-cma-k1" in said


def test_every_kind_that_the_hub_raises_has_a_text() -> None:
    sources = "\n".join(file.read_text() for file in Path("hub").rglob("*.py") if "notices" not in file.parts)
    raised = {kind for kind in KINDS if f'"{kind}"' in sources or kind.startswith("content_")}
    assert raised == set(KINDS)


class Mailbox(Handler):
    """Keeps what comes in."""

    def __init__(self) -> None:
        super().__init__(EmailMessage)
        self.mails: list[Any] = []

    def handle_message(self, message: Any) -> None:
        self.mails.append(message)


class Doorman:
    """One user, one password."""

    def __call__(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        known = (data.login, data.password) == (b"hub", b"s3cret")
        return AuthResult(success=known, handled=False)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, int]]:
    box, port = Mailbox(), free_port()
    controller = Controller(box, hostname="127.0.0.1", port=port, authenticator=Doorman(), auth_require_tls=False)
    controller.start()
    yield box, port
    controller.stop()


def mail_settings(port: int, password: Path) -> NoticeSettings:
    return NoticeSettings(smtp_port=port, smtp_username="hub", smtp_password_file=password, mail_from="ttdn@example.vn")


def test_a_mail_goes_out(mailbox: tuple[Mailbox, int], tmp_path: Path) -> None:
    box, port = mailbox
    password = tmp_path / "password"
    password.write_text("s3cret\n")
    send("email", "truc-ban@example.vn", TOLD, mail_settings(port, password))
    (mail,) = box.mails
    assert (mail["To"], mail["From"]) == ("truc-ban@example.vn", "ttdn@example.vn")
    from email.header import decode_header, make_header

    assert str(make_header(decode_header(mail["Subject"]))) == message(TOLD).subject
    text = mail.get_payload(decode=True).decode("utf-8")
    assert text.replace("\r\n", "\n").rstrip() == message(TOLD).body.rstrip()


def test_a_mail_that_does_not_go_out_says_why_without_secrets(mailbox: tuple[Mailbox, int], tmp_path: Path) -> None:
    _, port = mailbox
    password = tmp_path / "password"
    password.write_text("wrong-one\n")
    with pytest.raises(NotSent, match="SMTPAuthenticationError") as refused:
        send("email", "truc-ban@example.vn", TOLD, mail_settings(port, password))
    assert "wrong-one" not in str(refused.value)
    with pytest.raises(NotSent, match=r"127\.0\.0\.1"):
        send("email", "truc-ban@example.vn", TOLD, mail_settings(free_port(), password))


@pytest.fixture
def web() -> Iterator[Taken]:
    with web_server() as taken:
        yield taken


def test_a_webhook_is_signed(web: Taken, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("key\n")
    settings = NoticeSettings(webhook_secret_file=secret)
    send("webhook", web.url, TOLD, settings)
    headers, body = web.posts[0]
    assert json.loads(body) == as_json(TOLD)
    assert headers[SIGNATURE] == "sha256=" + hmac.new(b"key", body, hashlib.sha256).hexdigest()
    web.status = 500
    with pytest.raises(NotSent, match="status 500"):
        send("webhook", web.url, TOLD, settings)
    with pytest.raises(NotSent, match=r"127\.0\.0\.1: ConnectError"):
        send("webhook", f"http://127.0.0.1:{free_port()}/hook?token=hidden", TOLD, settings)


@pytest.mark.parametrize(
    ("channel", "target"),
    [("email", "nobody"), ("webhook", "http://example.vn/x"), ("webhook", "ftp://example.vn"), ("webhook", "https://")],
)
def test_targets_that_cannot_be(channel: Any, target: str) -> None:
    with pytest.raises(ValidationError, match=r"no https URL|no e-mail"):
        NoticeStep(channel=channel, target=target)


def test_mail_to_another_machine_is_encrypted() -> None:
    step = NoticeStep(channel="email", target="a@example.vn")
    with pytest.raises(ValidationError, match="smtp_starttls is off"):
        NoticeSettings(smtp_host="mail.example.vn", steps=(step,))
