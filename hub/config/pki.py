"""`[pki]`: certificates of devices and of the hub's servers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, Self

from pydantic import Field, field_validator, model_validator

from hub.config.address import HOST_NAME, Port
from hub.config.section import Section
from hub.errors import ConfigError

_URL: Final = re.compile(r"https://[A-Za-z0-9.\[\]:-]{1,260}", re.ASCII)
_MOST_KEY_BYTES: Final = 512


class PkiSettings(Section):
    """How kiosks become devices of this hub, by a certificate authority of its own. ttdn-hub pki init makes it."""

    folder: Path = Field(
        default=Path("/var/lib/ttdn-hub/pki"),
        description="Certificate authority and its key, for the hub's user only. Back it up: a new authority means "
        "that every kiosk has to be enrolled again.",
    )
    broker_folder: Path = Field(
        default=Path("/var/lib/ttdn-hub/broker"),
        description="What Mosquitto reads: settings, access rules, certificates, revocation list.",
    )
    proxy_folder: Path = Field(default=Path("/var/lib/ttdn-hub/proxy"), description="What nginx reads.")
    name: str = Field(
        default="",
        max_length=253,
        description="Name under which kiosks reach the hub by HTTPS to enrol; empty: nobody can enrol.",
        examples=["ttdn.example.vn"],
    )
    mqtt_name: str = Field(
        default="",
        max_length=253,
        description="Name of the broker, another one than name: on port 443 the two are told apart by it.",
        examples=["mqtt.ttdn.example.vn"],
    )
    url: str = Field(default="", max_length=280, description="Where to enrol; empty: https:// and name.")
    mqtt_port: Port = Field(default=8883, description="Where the broker listens for devices: MQTT over TLS.")
    shared_port: int = Field(
        default=443,
        ge=0,
        le=65_535,
        description="Where the proxy listens for HTTPS, and for the broker's name as well, for networks that let "
        "nothing else through. 0: devices are told of mqtt_port only.",
    )
    https_port: Port = Field(default=8443, description="Loopback port of the proxy's own HTTPS.")
    hop_port: Port = Field(default=8444, description="Loopback port on which the proxy hands MQTT on to the broker.")
    code_hours: int = Field(default=24, ge=1, le=720, description="So long a code can be used.")
    certificate_days: int = Field(
        default=365,
        ge=2,
        le=1_825,
        description="Life of a device's certificate; it asks for the next after two thirds.",
    )
    renewal_grace_days: int = Field(
        default=180,
        ge=0,
        le=3_650,
        description="So long after its end a certificate still proves who asks for the next one: a kiosk may have "
        "been in a cupboard. At brokers it is good for nothing by then.",
    )
    release_key_file: Path | None = Field(
        default=None,
        description="Public Ed25519 key in PEM by which agents know packages of new versions.",
        examples=["/etc/ttdn-hub/release.pub.pem"],
    )

    @field_validator("name", "mqtt_name")
    @classmethod
    def _is_name(cls, name: str) -> str:
        if name and not HOST_NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no host name; expected one without scheme and port, as ttdn.example.vn")
        return name.lower()

    @field_validator("url")
    @classmethod
    def _is_url(cls, url: str) -> str:
        if url and not _URL.fullmatch(url):
            raise ValueError(f"{url!r} is not https://host or https://host:port, without a path")
        return url

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if bool(self.name) != bool(self.mqtt_name):
            raise ValueError("name and mqtt_name are needed together")
        if self.name and self.shared_port and self.name == self.mqtt_name:
            raise ValueError(
                "name and mqtt_name are the same, and cannot be told apart on shared_port; give the broker "
                "another name, or set shared_port = 0"
            )
        return self

    @property
    def is_set(self) -> bool:
        """Whether devices can enrol, as far as the settings say."""
        return bool(self.name)

    @property
    def enrol_url(self) -> str:
        """Where devices enrol and renew."""
        return self.url or f"https://{self.name}"

    def require(self) -> None:
        """ConfigError if there are no names yet."""
        if not self.is_set:
            raise ConfigError("pki.name and pki.mqtt_name are empty; set the names under which kiosks reach this hub")

    def release_key(self) -> str:
        """The key that agents get, empty where there is none. ConfigError if its file cannot be used."""
        if self.release_key_file is None:
            return ""
        try:
            text = self.release_key_file.read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"pki.release_key_file: {self.release_key_file} cannot be read: {error}") from None
        if "PUBLIC KEY" not in text or len(text) > _MOST_KEY_BYTES:
            raise ConfigError(f"pki.release_key_file: {self.release_key_file} is not a public key in PEM")
        return text
