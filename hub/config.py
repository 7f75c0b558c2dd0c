"""The hub's settings: one frozen model a section, from a TOML file and the environment; the environment wins.

A variable is named `TTDN_HUB_<SECTION>__<FIELD>`; lists are written as JSON. Secrets can stand in files of their own,
are never printed, and are read when they are needed, so that a rotated password is found at the next connection.
"""

from __future__ import annotations

import ipaddress
import os
import platform
import re
import ssl
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

import psycopg
from psycopg.conninfo import conninfo_to_dict
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from contract.events import KINDS, Kind
from hub.config_problems import explain, unknown_variables
from hub.errors import ConfigError

ENV_PREFIX: Final = "TTDN_HUB_"
ENV_CONFIG: Final = "TTDN_HUB_CONFIG"
DEFAULT_FILE: Final = Path("/etc/ttdn-hub/hub.toml")
_LISTS: Final = (
    "a list is written as JSON, such as "
    f"""{ENV_PREFIX}MQTT__BROKERS='[{{"host": "127.0.0.1", "port": 1883, "tls": false}}]'"""
)

_HOST_NAME: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", re.ASCII)

Port = Annotated[int, Field(ge=1, le=65_535)]
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})?$")]


def is_loopback(host: str) -> bool:
    """Whether a name or address is this machine's own."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Section(BaseModel):
    """What all sections have in common: nothing changes after loading, and nothing unknown is let through."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class DatabaseSettings(Section):
    """PostgreSQL 15 or newer, with or without TimescaleDB."""

    dsn: SecretStr | None = Field(
        default=None,
        description="Connection string; this or dsn_file. Prefer a Unix socket (no password) or dsn_file.",
        examples=["postgresql:///ttdn"],
        json_schema_extra={"shown": True},
    )
    dsn_file: Path | None = Field(
        default=None,
        description="File whose first line is the connection string, readable by the hub's user only.",
        examples=["/etc/ttdn-hub/dsn"],
    )
    pool_connections: int = Field(
        default=4, ge=1, le=100, description="Most connections that the API holds; the ingest has its own."
    )

    @field_validator("dsn")
    @classmethod
    def _is_a_connection_string(cls, dsn: SecretStr | None) -> SecretStr | None:
        if dsn is not None:
            _refuse_bad_dsn(dsn.get_secret_value(), "this text")
        return dsn

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.dsn is None) == (self.dsn_file is None):
            raise ValueError("exactly one of dsn and dsn_file is needed, such as dsn = 'postgresql:///ttdn'")
        return self

    def conninfo(self) -> str:
        """The connection string with its password: for a connection, never for a log. ConfigError if unreadable."""
        if self.dsn is not None:
            return self.dsn.get_secret_value()
        text = _first_line("database.dsn_file", self.dsn_file or Path())
        try:
            _refuse_bad_dsn(text, f"the first line of {self.dsn_file}")
        except ValueError as error:
            raise ConfigError(f"database.dsn_file: {error}") from None
        return text


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
            return _first_line("mqtt.password_file", self.password_file)
        return "" if self.password is None else self.password.get_secret_value()


class IngestSettings(Section):
    """From message to committed row."""

    linger_ms: int = Field(
        default=20, ge=0, le=1_000, description="How long a writer waits for more to commit together."
    )
    processes: int = Field(
        default_factory=lambda: min(os.cpu_count() or 1, 4),
        ge=1,
        le=32,
        description="Processes that share the messages, each with its own writers. Left out: one a core, at most 4. "
        "ttdn-hub serve uses one.",
        examples=[2],
    )
    writers: int = Field(default=2, ge=1, le=32, description="Threads that commit, each with a database connection.")
    queue_messages: int = Field(
        default=20_000,
        ge=10,
        le=1_000_000,
        description="Messages waiting in memory; more are discarded, and sent again.",
    )
    group_messages: int = Field(default=500, ge=1, le=10_000, description="Most messages in one transaction.")
    commit_timeout_s: float = Field(
        default=5, gt=0, le=300, description="A worker that cannot commit for this long leaves its brokers to others."
    )
    alive_timeout_s: float = Field(
        default=90, ge=10, le=3_600, description="A device that is silent for this long counts as offline."
    )
    link_timeout_s: float = Field(
        default=30,
        ge=5,
        le=3_600,
        description="A worker that has not confirmed its broker for this long counts as gone.",
    )


class StorageSettings(Section):
    """How long rows are kept, by kind; hourly counts are kept for good. `ttdn-hub maintain` sees to it."""

    play_days: int = Field(default=800, ge=2, le=36_500, description="Slices of plays.")
    screen_days: int = Field(default=800, ge=2, le=36_500, description="Power of screens.")
    interaction_days: int = Field(
        default=30, ge=2, le=30, description="Interactions of visitors: at most 30 days, then only counts."
    )
    health_days: int = Field(default=400, ge=2, le=36_500, description="Condition of devices.")
    fault_days: int = Field(default=800, ge=2, le=36_500, description="Faults.")
    lifecycle_days: int = Field(default=3_650, ge=2, le=36_500, description="Starts, stops, changes of clock.")
    loss_days: int = Field(default=3_650, ge=2, le=36_500, description="Declarations of loss.")
    compress_after_days: int = Field(
        default=60, ge=3, le=36_500, description="With TimescaleDB: chunks that are older are compressed."
    )

    def retention_days(self) -> dict[Kind, int]:
        """By kind of event."""
        return {kind: getattr(self, f"{kind}_days") for kind in KINDS}


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
            if not _HOST_NAME.fullmatch(name):
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


class ComplianceSettings(Section):
    """What counts as shown, and as known."""

    minimum_grade: Literal["scheduled", "reported", "rendering", "panel_on", "frame_match"] = Field(
        default="rendering", description="The lowest grade of a play that counts as shown."
    )
    heartbeat_s: int = Field(
        default=60, ge=1, le=86_400, description="Time between two health reports of the kiosks; longer is silence."
    )


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
        default=("content_unknown", "content_altered", "content_expired", "content_not_yet_valid", "cloned_device"),
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
            ""
            if self.smtp_password_file is None
            else _first_line("notices.smtp_password_file", self.smtp_password_file)
        )

    def webhook_key(self) -> str:
        """What signs webhooks; empty: nothing. ConfigError if its file cannot be read."""
        file = self.webhook_secret_file
        return "" if file is None else _first_line("notices.webhook_secret_file", file)


class VisitorSettings(Section):
    """Figures of visitors that leave the province: sessions by site, month and language, published once."""

    threshold: int = Field(
        default=10, ge=5, le=1_000, multiple_of=5, description="Fewer sessions than this are not told; a multiple of 5."
    )
    closed_after_days: int = Field(
        default=65,
        ge=0,
        le=400,
        description="A month is published this many days after its end: longer than a kiosk may be off line.",
    )
    languages: tuple[Language, ...] = Field(
        default=("vi", "en", "zh", "lo", "km", "und"),
        min_length=1,
        max_length=32,
        description="Languages that kiosks offer, as they report them; und: none was chosen. Sessions in others are "
        "not published.",
    )

    @field_validator("languages")
    @classmethod
    def _differ(cls, languages: tuple[str, ...]) -> tuple[str, ...]:
        twice = sorted({language for language in languages if languages.count(language) > 1})
        if twice:
            raise ValueError(f"the language {twice[0]} is listed twice")
        return languages


class LogSettings(Section):
    """Lines on standard error, in UTC."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least that is written."
    )
    format: Literal["text", "json"] = Field(default="text", description="text: a line to read. json: an object a line.")


class HubSettings(BaseSettings):
    """Everything that `ttdn-hub` can be told."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix=ENV_PREFIX, env_nested_delimiter="__", env_ignore_empty=True
    )

    database: DatabaseSettings
    mqtt: MqttSettings = Field(default_factory=MqttSettings)
    ingest: IngestSettings = Field(default_factory=IngestSettings)
    storage: StorageSettings = Field(default_factory=StorageSettings)
    api: ApiSettings = Field(default_factory=ApiSettings)
    compliance: ComplianceSettings = Field(default_factory=ComplianceSettings)
    notices: NoticeSettings = Field(default_factory=NoticeSettings)
    visitors: VisitorSettings = Field(default_factory=VisitorSettings)
    log: LogSettings = Field(default_factory=LogSettings)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment before what the caller read from the file."""
        del settings_cls, dotenv_settings, file_secret_settings
        return env_settings, init_settings


def load_settings(file: Path | None = None) -> HubSettings:
    """Settings from `file`, else from $TTDN_HUB_CONFIG, else from the usual file if it exists; then the environment.

    ConfigError names every key that is wrong, where it stands, what is wrong and what is expected.
    """
    source = config_file(file, os.environ)
    given = _read_toml(source) if source else {}
    problems = unknown_variables(os.environ, HubSettings)
    if problems:
        raise ConfigError("\n".join(problems))
    try:
        return HubSettings(**given)
    except ValidationError as error:
        raise ConfigError(explain(error, HubSettings, source, os.environ)) from None
    except SettingsError as error:
        raise ConfigError(f"environment: {error}; {_LISTS}") from None


def config_file(given: Path | None, environ: Mapping[str, str]) -> Path | None:
    """The file that settings are read from; None where nobody named one and the usual one is not there."""
    named = given or (Path(environ[ENV_CONFIG]) if environ.get(ENV_CONFIG) else None)
    if named is not None:
        return named
    return DEFAULT_FILE if DEFAULT_FILE.exists() else None


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}. A sample: ttdn-hub config sample") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: not UTF-8 at byte {error.start}; save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file}: not TOML: {error}. Texts stand in quotes: key = 'text'") from None


def _first_line(key: str, file: Path) -> str:
    try:
        line = next(iter(file.read_text(encoding="utf-8").splitlines()), "").strip()
    except OSError as error:
        raise ConfigError(f"{key}: {file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{key}: {file} is not a text file in UTF-8") from None
    if not line:
        raise ConfigError(f"{key}: the first line of {file} is empty; the secret is expected there")
    return line


def _refuse_bad_dsn(text: str, what: str) -> None:
    # The driver's own message is not passed on: it may quote a part of the password.
    try:
        parts = conninfo_to_dict(text)
    except psycopg.ProgrammingError:
        parts = {}
    if not parts:
        raise ValueError(f"{what} is no connection string; expected postgresql://user@host:port/database")
