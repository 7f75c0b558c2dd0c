"""The hub's settings: one frozen model a section, from a TOML file and the environment; the environment wins.

A variable is named `TTDN_HUB_<SECTION>__<FIELD>`; lists are written as JSON. Secrets can stand in files of their own,
are never printed, and are read when they are needed, so that a rotated password is found at the next connection.
"""

from __future__ import annotations

import ipaddress
import os
import platform
import ssl
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

import psycopg
from psycopg.conninfo import conninfo_to_dict
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from hub.config_problems import explain, unknown_variables
from hub.errors import ConfigError

ENV_PREFIX: Final = "TTDN_HUB_"
ENV_CONFIG: Final = "TTDN_HUB_CONFIG"
DEFAULT_FILE: Final = Path("/etc/ttdn-hub/hub.toml")
_LISTS: Final = (
    "a list is written as JSON, such as "
    f"""{ENV_PREFIX}MQTT__BROKERS='[{{"host": "127.0.0.1", "port": 1883, "tls": false}}]'"""
)

Port = Annotated[int, Field(ge=1, le=65_535)]


def _is_loopback(host: str) -> bool:
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
        if not self.tls and not _is_loopback(self.host):
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


class ApiSettings(Section):
    """HTTP: the page of all screens, the API, health and metrics."""

    host: str = Field(default="127.0.0.1", description="Address to bind; only 127.0.0.1 while the API knows no users.")
    port: int = Field(default=8000, ge=0, le=65_535, description="TCP port; 0: any free one, named in the log.")

    @field_validator("host")
    @classmethod
    def _only_this_machine(cls, host: str) -> str:
        if host != "127.0.0.1":
            raise ValueError(
                f"{host} is refused: the API has no access control yet and binds to 127.0.0.1 only. "
                "For other machines put a reverse proxy that checks its users before it"
            )
        return host


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
    api: ApiSettings = Field(default_factory=ApiSettings)
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
