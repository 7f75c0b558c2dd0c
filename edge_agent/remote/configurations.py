"""From a configuration as it comes to one in force, or to a refusal; the old one holds until the new one is durable."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from contract import codec
from contract.command import Outcome, Reply
from contract.config import DeviceConfig
from contract.errors import ContractError
from edge_agent.draft import Draft
from edge_agent.lifecycle import lifecycle
from edge_agent.remote.configuration import from_next_start, refusals
from edge_agent.remote.kept_configuration import KeptConfiguration

_MOST_TEXT: Final = 512
SWITCHED_OFF: Final = "remote.configuration is off in this device's own file"
log = logging.getLogger(__name__)


class Configurations:
    """Used by one thread, but for `current`, which any may read."""

    def __init__(
        self,
        kept: KeptConfiguration,
        *,
        allowed: bool,
        apply: Callable[[DeviceConfig], None],
        record: Callable[[list[Draft]], None],
        now_ms: Callable[[], int],
        disk_bytes: Callable[[], int | None],
    ) -> None:
        """`apply` makes it hold and does not fail; `allowed` is what the device's own file says."""
        self._kept, self._allowed = kept, allowed
        self._apply, self._record, self._now_ms, self._disk_bytes = apply, record, now_ms, disk_bytes
        self._refused: tuple[int, str] | None = None
        self.current = kept.load() if allowed else None

    @property
    def revision(self) -> int:
        """Of what is in force; 0: the device's own file alone."""
        return self.current.revision if self.current is not None else 0

    def take(self, data: bytes, content_type: str) -> Reply | None:
        """What the hub is told; None if what came cannot even be answered."""
        try:
            revision = codec.revision_of(data, content_type)
        except ContractError as error:
            log.warning("a configuration of the hub that tells no revision: %s", error)
            return None
        if not self._allowed:
            return self._refuse(revision, SWITCHED_OFF)
        if revision < self.revision:
            return self._refuse(revision, f"revision {self.revision} is in force, which is newer")
        try:
            config = codec.decode_config(data, content_type)
            unknown = codec.unknown_of_config(data, content_type)
        except ContractError as error:
            return self._refuse(revision, str(error))
        if config == self.current:
            return _reply(revision, "applied", _notes(unknown, []))
        if revision == self.revision:
            return self._refuse(revision, "it is another one than that of the same revision, which is in force")
        if problems := refusals(config, self._disk_bytes()):
            return self._refuse(revision, "; ".join(problems))
        return self._put_in_force(config, unknown)

    def _put_in_force(self, config: DeviceConfig, unknown: list[str]) -> Reply:
        try:
            self._kept.keep(config)
        except OSError as error:
            return self._refuse(config.revision, f"it cannot be kept: {error.strerror}; check the SD card")
        late = from_next_start(self.current, config)
        self.current, self._refused = config, None
        self._apply(config)
        notes = _notes(unknown, late)
        log.info("configuration %d of the hub is in force%s", config.revision, f": {notes}" if notes else "")
        self._tell(f"revision {config.revision} of the hub is in force" + (f": {notes}" if notes else ""))
        return _reply(config.revision, "applied", notes)

    def _refuse(self, revision: int, why: str) -> Reply:
        """Told as an event once, however often the hub sends it."""
        if self._refused != (revision, why):
            self._refused = (revision, why)
            log.error("configuration %d of the hub is refused, %d stays: %s", revision, self.revision, why)
            self._tell(f"revision {revision} of the hub is refused, {self.revision} stays: {why}")
        return _reply(revision, "refused", why)

    def _tell(self, detail: str) -> None:
        self._record([lifecycle("config", self._now_ms(), detail[:_MOST_TEXT])])


def _notes(unknown: list[str], late: list[str]) -> str:
    parts = [f"not known to this agent, passed over: {', '.join(unknown)}"] if unknown else []
    parts += [f"from the agent's next start: {', '.join(late)}"] if late else []
    return "; ".join(parts)


def _reply(revision: int, outcome: Outcome, detail: str) -> Reply:
    return Reply(config=revision, outcome=outcome, detail=detail.replace("\0", "")[:_MOST_TEXT])
