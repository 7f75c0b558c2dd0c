"""The ways by which a notice goes out: e-mail and webhook. Each raises NotSent, and says whether trying again helps."""

from __future__ import annotations

import hashlib
import hmac
import json
import smtplib
import ssl
from email.header import Header
from email.mime.text import MIMEText
from email.utils import formatdate, make_msgid
from typing import Final

import httpx

from hub.config import NoticeSettings
from hub.errors import HubError
from hub.notices.message import Told, as_json, message

TIMEOUT_S: Final = 10.0
SIGNATURE: Final = "X-TTDN-Signature"


class NotSent(HubError):
    """Try again later: the notice did not go out. The text says why, without secrets."""


def send(channel: str, target: str, incident: Told, settings: NoticeSettings) -> None:
    """Send one notice. NotSent if it did not go out."""
    if channel == "email":
        _send_mail(target, incident, settings)
    elif channel == "webhook":
        _post(target, incident, settings)
    else:
        raise NotSent(f"no channel {channel!r}; known: email, webhook")


def _send_mail(target: str, incident: Told, settings: NoticeSettings) -> None:
    said = message(incident)
    # Not EmailMessage: Python 3.11 folds a long subject so that spaces between Vietnamese words are lost.
    mail = MIMEText(said.body, "plain", "utf-8")
    mail["Subject"], mail["From"], mail["To"] = Header(said.subject, "utf-8").encode(), settings.mail_from, target
    mail["Date"], mail["Message-ID"] = formatdate(), make_msgid("ttdn-hub", "ttdn.invalid")
    mail["Auto-Submitted"] = "auto-generated"
    try:
        with smtplib.SMTP(settings.smtp_host, settings.smtp_port, timeout=TIMEOUT_S) as server:
            if settings.smtp_starttls:
                server.starttls(context=ssl.create_default_context(cafile=settings.smtp_ca_file))
            if settings.smtp_username:
                server.login(settings.smtp_username, settings.smtp_secret())
            server.send_message(mail)
    except (OSError, smtplib.SMTPException) as error:
        raise NotSent(f"{settings.smtp_host}:{settings.smtp_port}: {type(error).__name__}: {error}") from error


def _post(target: str, incident: Told, settings: NoticeSettings) -> None:
    body = json.dumps(as_json(incident), ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json; charset=utf-8"}
    secret = settings.webhook_key()
    if secret:
        headers[SIGNATURE] = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    try:
        answer = httpx.post(target, content=body, headers=headers, timeout=TIMEOUT_S, follow_redirects=False)
    except httpx.HTTPError as error:
        raise NotSent(f"{httpx.URL(target).host}: {type(error).__name__}: {error}") from error
    if not answer.is_success:
        raise NotSent(f"{httpx.URL(target).host}: answered with status {answer.status_code}")
