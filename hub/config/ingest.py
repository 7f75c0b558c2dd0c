"""`[ingest]`: from message to committed row."""

from __future__ import annotations

import os

from pydantic import Field

from hub.config.section import Section


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
    writers: int = Field(
        default=1, ge=1, le=32, description="Threads a process that commit, each with a database connection."
    )
    queue_messages: int = Field(
        default=20_000,
        ge=10,
        le=1_000_000,
        description="Messages waiting in memory; more are discarded, and sent again.",
    )
    group_messages: int = Field(
        default=1_000, ge=1, le=10_000, description="Most messages in one transaction: of kiosks that send often."
    )
    group_bytes: int = Field(
        default=350_000,
        ge=1_000,
        le=100_000_000,
        description="Most bytes of messages in one transaction, some 150 batches of 50 events. "
        "More store more a second, and each waits longer.",
    )
    commit_timeout_s: float = Field(
        default=5, gt=0, le=300, description="A worker that cannot commit for this long leaves its brokers to others."
    )
    alive_timeout_s: float = Field(
        default=150,
        ge=90,
        le=3_600,
        description="A device that is silent for this long counts as offline; agents speak once a minute.",
    )
    link_timeout_s: float = Field(
        default=30,
        ge=5,
        le=3_600,
        description="A worker that has not confirmed its broker for this long counts as gone.",
    )
