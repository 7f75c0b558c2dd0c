"""What the hub counts of itself, for Prometheus. One registry an instance: several hubs can live in one process."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_COMMIT_BUCKETS_S: Final = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
_DELAY_BUCKETS_S: Final = (0.05, 0.1, 0.2, 0.5, 1, 1.5, 2, 3, 5, 10, 30, 60)


class HubMetrics:
    """Counters, gauges and histograms; thread-safe. Names follow Prometheus: base units, `_total` for counters."""

    def __init__(self) -> None:
        registry = CollectorRegistry(auto_describe=True)
        self.registry: Final = registry
        self.messages_received: Final = Counter(
            "ttdn_hub_messages_received", "MQTT messages on events topics that arrived.", registry=registry
        )
        self.messages_discarded: Final = Counter(
            "ttdn_hub_messages_discarded", "Messages let go; their senders repeat them.", ["reason"], registry=registry
        )
        self.batches_refused: Final = Counter(
            "ttdn_hub_batches_refused", "Messages of which nothing could be committed.", ["reason"], registry=registry
        )
        self.events_stored: Final = Counter("ttdn_hub_events_stored", "Rows committed.", ["kind"], registry=registry)
        self.events_duplicate: Final = Counter(
            "ttdn_hub_events_duplicate", "Events that came again and were counted once.", registry=registry
        )
        self.commit_seconds: Final = Histogram(
            "ttdn_hub_commit_seconds", "Duration of a group commit.", buckets=_COMMIT_BUCKETS_S, registry=registry
        )
        self.commit_failures: Final = Counter(
            "ttdn_hub_commit_failures", "Commits that failed, by SQLSTATE class.", ["sqlstate_class"], registry=registry
        )
        self.queue_messages: Final = Gauge(
            "ttdn_hub_queue_messages", "Messages waiting in memory to be committed.", registry=registry
        )
        self.event_delay_seconds: Final = Histogram(
            "ttdn_hub_event_delay_seconds", "From event to commit.", buckets=_DELAY_BUCKETS_S, registry=registry
        )
        self.chore_failures: Final = Counter(
            "ttdn_hub_chore_failures", "Chores that failed; each is tried again.", ["chore"], registry=registry
        )
        self.enrolments: Final = Counter(
            "ttdn_hub_enrolments",
            "Requests for certificates; result: issued, again, too_many, malformed, unavailable, or why refused.",
            ["request", "result"],
            registry=registry,
        )
        self.brokers_connected: Final = Gauge(
            "ttdn_hub_brokers_connected", "Brokers that this process is connected to.", registry=registry
        )

    def text(self) -> bytes:
        """The exposition format."""
        return generate_latest(self.registry)
