"""`[api]`: HTTP."""

from __future__ import annotations

import ipaddress
import ssl
from pathlib import Path
from typing import Self

from pydantic import Field, field_validator, model_validator

from hub.config.address import HOST_NAME, is_loopback
from hub.config.section import Section
from hub.errors import ConfigError


class ApiSettings(Section):
    """HTTP: the page of all screens, the API, health and metrics. Who may see what: ttdn-hub user, ttdn-hub token."""

    host: str = Field(
        default="127.0.0.1",
        min_length=1,
        max_length=253,
        description="Address to bind; 0.0.0.0 or :: for all. Other than loopback it needs TLS: cert_file, or a proxy.",
    )
    port: int = Field(default=8000, ge=0, le=65_535, description="TCP port; 0: any free one, named in the log.")
    names: tuple[str, ...] = Field(
        default=(),
        max_length=32,
        description="Names under which people reach it, besides 127.0.0.1 and localhost; requests to other names are "
        "refused. Empty while bound elsewhere than to loopback: any.",
        examples=[["ttdn.example.vn"]],
    )
    proxies: tuple[str, ...] = Field(
        default=(),
        max_length=32,
        description="Addresses or networks of reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are true. "
        "Without it a proxy's users share one limit, and cannot log in through it.",
        examples=[["127.0.0.1"]],
    )
    cert_file: Path | None = Field(
        default=None, description="Certificate chain in PEM, with key_file: HTTPS.", examples=["/etc/ttdn-hub/api.pem"]
    )
    key_file: Path | None = Field(
        default=None, description="The certificate's private key in PEM.", examples=["/etc/ttdn-hub/api.key"]
    )
    open_on_loopback: bool = Field(
        default=False,
        description="Everybody on this machine may read page, API and metrics without an account, as in the demo. "
        "Only with a loopback host and without proxies.",
    )
    session_max_s: int = Field(
        default=43_200, ge=300, le=2_592_000, description="After this long a person has to log in again."
    )
    session_idle_s: int = Field(
        default=3_600,
        ge=300,
        le=2_592_000,
        description="The same, after this long without a request; a page that is left open asks by itself.",
    )
    requests_per_minute: int = Field(
        default=600, ge=10, le=1_000_000, description="Most requests of one person or token; more get status 429."
    )
    address_requests_per_minute: int = Field(
        default=3_000, ge=10, le=1_000_000, description="Most requests from one address, whoever asks."
    )

    @field_validator("names")
    @classmethod
    def _are_names(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if not HOST_NAME.fullmatch(name):
                raise ValueError(f"{name!r} is no host name; expected one without scheme and port, as ttdn.example.vn")
        return names

    @field_validator("proxies")
    @classmethod
    def _are_networks(cls, proxies: tuple[str, ...]) -> tuple[str, ...]:
        for proxy in proxies:
            ipaddress.ip_network(proxy)  # its ValueError says what is wrong
        return proxies

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file are needed together")
        if self.open_on_loopback and not self.is_local:
            raise ValueError(
                f"open_on_loopback lets in everybody who reaches it, and cannot hold with host {self.host}; "
                "leave it out, or bind to 127.0.0.1"
            )
        if self.open_on_loopback and self.proxies:
            raise ValueError(
                "open_on_loopback would let in everybody who comes through proxies; only one of them can hold"
            )
        return self

    @property
    def is_local(self) -> bool:
        """Whether only this machine reaches it."""
        return is_loopback(self.host)

    def check_tls(self) -> None:
        """ConfigError if certificate and key cannot be used."""
        if self.cert_file is not None:
            try:
                ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(
                    self.cert_file, self.key_file, password=""
                )
            except OSError as error:  # ssl.SSLError is one
                files = f"{self.cert_file}, {self.key_file}"
                raise ConfigError(f"api.cert_file, api.key_file: {files}: {error.strerror or error}") from None
