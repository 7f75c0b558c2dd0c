"""`[mqtt]`: the brokers."""

from __future__ import annotations

import os
import platform
import ssl
from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator

from hub.config.address import Port, is_loopback
from hub.config.secret_file import first_line
from hub.config.section import Section
from hub.errors import ConfigError


class BrokerSettings(Section):
    """One MQTT 5 broker. Several are used at once; each may be lost."""

    host: str = Field(min_length=1, max_length=253, description="Name or address.", examples=["127.0.0.1"])
    port: Port = Field(default=8883, description="TCP port: 8883 with TLS, 1883 without.")
    tls: bool = Field(default=True, description="TLS; may be off only for a broker on this machine (loopback address).")
    ca_file: Path | None = Field(
        default=None,
        description="CA certificates in PEM; none: those of the system.",
        examples=["/etc/ttdn-hub/ca.pem"],
    )
    cert_file: Path | None = Field(
        default=None, description="The hub's certificate in PEM, with key_file.", examples=["/etc/ttdn-hub/hub.pem"]
    )
    key_file: Path | None = Field(
        default=None, description="The certificate's private key in PEM.", examples=["/etc/ttdn-hub/hub.key"]
    )

    @property
    def name(self) -> str:
        """What the tables `presence` and `hub_link` call it: host:port."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def ssl_context(self) -> ssl.SSLContext | None:
        """What TLS needs, or None without TLS. ConfigError if a certificate or key cannot be used."""
        if not self.tls:
            return None
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
            if self.cert_file is not None:
                # An empty password: a locked key is an error, not a question on a terminal.
                context.load_cert_chain(self.cert_file, self.key_file, password="")
        except OSError as error:  # ssl.SSLError is one
            files = ", ".join(str(file) for file in (self.ca_file, self.cert_file, self.key_file) if file)
            raise ConfigError(f"mqtt.brokers {self.name}: {files}: {error.strerror or error}") from None
        return context

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if not self.tls and not is_loopback(self.host):
            raise ValueError(f"tls is off for {self.host}; without TLS only a loopback address is allowed (127.0.0.1)")
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file are needed together")
        return self


class MqttSettings(Section):
    """How the ingest reaches its brokers."""

    username: str = Field(default="hub", max_length=128, description="User name; the broker's access rules name it.")
    password: SecretStr | None = Field(default=None, description="Password; prefer password_file.", examples=["..."])
    password_file: Path | None = Field(
        default=None,
        description="File whose first line is the password, readable by the hub's user only.",
        examples=["/etc/ttdn-hub/mqtt-password"],
    )
    worker_name: str = Field(
        default_factory=lambda: f"{platform.node() or 'hub'}-{os.getpid()}"[:60],
        min_length=1,
        max_length=60,
        pattern=r"^[A-Za-z0-9_.-]+$",
        description="Name of this process at brokers and in the table hub_link, unique among workers. "
        "Left out: host name and process id.",
        examples=["hub-1"],
    )
    brokers: tuple[BrokerSettings, ...] = Field(
        default=(BrokerSettings(host="127.0.0.1", port=1883, tls=False),),
        min_length=1,
        max_length=16,
        description="Every broker that devices may use.",
    )

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.password is not None and self.password_file is not None:
            raise ValueError("password and password_file are both set; only one of them can hold")
        names = [broker.name for broker in self.brokers]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"the broker {twice[0]} is listed twice")
        return self

    def secret(self) -> str:
        """The password, empty where there is none. ConfigError if its file cannot be read."""
        if self.password_file is not None:
            return first_line("mqtt.password_file", self.password_file)
        return "" if self.password is None else self.password.get_secret_value()
