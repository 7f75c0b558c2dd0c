"""The hub's settings: one frozen model a section, from a TOML file and the environment; the environment wins.

A variable is named `TTDN_HUB_<SECTION>__<FIELD>`; lists are written as JSON. Secrets can stand in files of their own,
are never printed, and are read when they are needed, so that a rotated password is found at the next connection.
"""

from __future__ import annotations

from hub.config.address import is_loopback
from hub.config.api import ApiSettings
from hub.config.compliance import ComplianceSettings
from hub.config.database import DatabaseSettings
from hub.config.ingest import IngestSettings
from hub.config.loading import config_file, load_settings
from hub.config.log import LogSettings
from hub.config.mqtt import BrokerSettings, MqttSettings
from hub.config.notices import NoticeSettings, NoticeStep
from hub.config.pki import PkiSettings
from hub.config.releases import ReleaseSettings
from hub.config.settings import HubSettings
from hub.config.storage import StorageSettings
from hub.config.visitors import VisitorSettings

__all__ = [
    "ApiSettings",
    "BrokerSettings",
    "ComplianceSettings",
    "DatabaseSettings",
    "HubSettings",
    "IngestSettings",
    "LogSettings",
    "MqttSettings",
    "NoticeSettings",
    "NoticeStep",
    "PkiSettings",
    "ReleaseSettings",
    "StorageSettings",
    "VisitorSettings",
    "config_file",
    "is_loopback",
    "load_settings",
]
