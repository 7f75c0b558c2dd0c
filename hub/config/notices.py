"""`[notices]`: who is told of incidents."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from hub.config.address import Port, is_loopback
from hub.config.secret_file import first_line
from hub.config.section import Section


class NoticeStep(Section):
    """One step: who is told once an incident has waited for so long."""

    after_s: int = Field(default=0, ge=0, le=2_592_000, description="Seconds since the incident was opened.")
    channel: Literal["email", "webhook"] = Field(description="The way by which it goes out.", examples=["email"])
    target: str = Field(
        min_length=3, max_length=500, description="An e-mail address, or a URL.", examples=["truc-ban@example.vn"]
    )

    @model_validator(mode="after")
    def _fits_the_channel(self) -> Self:
        if self.channel == "email" and not re.fullmatch(r"[^@\s]+@[^@\s]+", self.target):
            raise ValueError(f"{self.target!r} is no e-mail address")
        url = re.fullmatch(r"(https?)://([^/:@\s]+|\[[0-9a-f:]+\])(:\d+)?(/\S*)?", self.target)
        if self.channel == "webhook" and (url is None or (url[1] == "http" and not is_loopback(url[2].strip("[]")))):
            raise ValueError(f"{self.target!r} is no https URL; http is for a loopback address only")
        return self


class NoticeSettings(Section):
    """Who is told of incidents that nobody has acknowledged, step by step."""

    kinds: tuple[str, ...] = Field(
        default=(
            "content_unknown",
            "content_altered",
            "content_expired",
            "content_not_yet_valid",
            "cloned_device",
            "code_misused",
            "revoked_device",
            "restored_image",
            "rollout_halted",
        ),
        description="Kinds of incidents that are told.",
    )
    smtp_host: str = Field(default="127.0.0.1", min_length=1, max_length=253, description="Mail server.")
    smtp_port: Port = Field(default=25, description="25, or 587 with STARTTLS.")
    smtp_starttls: bool = Field(default=False, description="Encrypt; may be off only for a loopback address.")
    smtp_ca_file: Path | None = Field(
        default=None,
        description="CA certificates in PEM; none: those of the system.",
        examples=["/etc/ttdn-hub/ca.pem"],
    )
    smtp_username: str = Field(default="", max_length=128, description="User name at the mail server; empty: none.")
    smtp_password_file: Path | None = Field(
        default=None,
        description="File whose first line is the password, readable by the hub's user only.",
        examples=["/etc/ttdn-hub/smtp-password"],
    )
    mail_from: str = Field(default="ttdn-hub@localhost", max_length=254, description="Sender of the mails.")
    webhook_secret_file: Path | None = Field(
        default=None,
        description="File whose first line signs webhooks: HMAC-SHA256 of the body in X-TTDN-Signature.",
        examples=["/etc/ttdn-hub/webhook-secret"],
    )
    steps: tuple[NoticeStep, ...] = Field(default=(), max_length=50, description="The steps; none: nobody is told.")

    @model_validator(mode="after")
    def _agree(self) -> Self:
        by_mail = any(step.channel == "email" for step in self.steps)
        if by_mail and not self.smtp_starttls and not is_loopback(self.smtp_host):
            raise ValueError(
                f"smtp_starttls is off for {self.smtp_host}; without it only a loopback address is allowed"
            )
        if self.smtp_username and self.smtp_password_file is None:
            raise ValueError("smtp_username needs smtp_password_file")
        return self

    def smtp_secret(self) -> str:
        """The mail server's password. ConfigError if its file cannot be read."""
        return (
            "" if self.smtp_password_file is None else first_line("notices.smtp_password_file", self.smtp_password_file)
        )

    def webhook_key(self) -> str:
        """What signs webhooks; empty: nothing. ConfigError if its file cannot be read."""
        file = self.webhook_secret_file
        return "" if file is None else first_line("notices.webhook_secret_file", file)
