"""All sections together."""

from __future__ import annotations

from typing import Final

from pydantic import Field
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from hub.config.api import ApiSettings
from hub.config.compliance import ComplianceSettings
from hub.config.database import DatabaseSettings
from hub.config.ingest import IngestSettings
from hub.config.log import LogSettings
from hub.config.mqtt import MqttSettings
from hub.config.notices import NoticeSettings
from hub.config.pki import PkiSettings
from hub.config.releases import ReleaseSettings
from hub.config.storage import StorageSettings
from hub.config.visitors import VisitorSettings

ENV_PREFIX: Final = "TTDN_HUB_"


class HubSettings(BaseSettings):
    """Everything that `ttdn-hub` can be told."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix=ENV_PREFIX, env_nested_delimiter="__", env_ignore_empty=True
    )

    database: DatabaseSettings
    mqtt: MqttSettings = Field(default_factory=MqttSettings)
    ingest: IngestSettings = Field(default_factory=IngestSettings)
    releases: ReleaseSettings = Field(default_factory=ReleaseSettings)
    storage: StorageSettings = Field(default_factory=StorageSettings)
    api: ApiSettings = Field(default_factory=ApiSettings)
    compliance: ComplianceSettings = Field(default_factory=ComplianceSettings)
    notices: NoticeSettings = Field(default_factory=NoticeSettings)
    visitors: VisitorSettings = Field(default_factory=VisitorSettings)
    pki: PkiSettings = Field(default_factory=PkiSettings)
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
