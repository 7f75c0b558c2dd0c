"""Where the doctor looks: a machine, the agent's configuration on it, and the agent, if it runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from edge_agent import config, status_file
from edge_agent.clock import boottime_ms, wall_ms
from edge_agent.config import AgentSettings
from edge_agent.doctor import programs
from edge_agent.doctor.programs import Ran
from edge_agent.errors import AgentError, ConfigError
from edge_agent.identity.store import read_identity
from edge_agent.status_file import AgentStatus


class Place(NamedTuple):
    """What every check may look at. Without a usable configuration `settings` is None and `problem` says why."""

    config_file: Path
    settings: AgentSettings | None
    problem: str = ""
    device: str = ""
    """Its name at the hub; empty where it was not enrolled."""
    status: AgentStatus | None = None
    """Of an agent that runs; one that hangs has an old one."""
    status_problem: str = ""
    root: Path = Path("/")
    run: Callable[[Sequence[str], float], Ran | None] = programs.run
    now_ms: Callable[[], int] = boottime_ms
    wall_ms: Callable[[], int] = wall_ms

    @property
    def status_age_s(self) -> float:
        """How old the agent's own word is."""
        return 0.0 if self.status is None else (self.now_ms() - self.status.at_ms) / 1000

    def best_ms(self) -> int:
        """Unix ms as well as this machine knows it: by the agent that has it from the hub, else by the wall clock."""
        knows = self.status is not None and self.status.clock == "synced"
        offset_ms = self.status.clock_offset_ms if self.status is not None and knows else None
        return self.wall_ms() + (offset_ms or 0)

    @property
    def closed(self) -> bool:
        """Whether the hub's opening hours say that nothing need be shown now."""
        return self.status is not None and self.status.is_open is False


def find_place(config_file: Path) -> Place:
    """This machine with that configuration. Raises nothing: what is wrong is for a check to say."""
    try:
        settings = config.load(config_file)
    except ConfigError as error:
        return Place(config_file, None, problem=str(error))
    try:
        status = status_file.read(Path(settings.runtime_folder))
    except AgentError as error:
        return Place(config_file, settings, device=device_of(settings), status_problem=str(error))
    running = status is not None and status_file.is_running(status)
    return Place(config_file, settings, device=device_of(settings), status=status if running else None)


def device_of(settings: AgentSettings) -> str:
    """The device's name by settings or enrolment; empty if neither says, or we may not read it."""
    if settings.device:
        return settings.device
    try:
        identity = read_identity(Path(settings.state_folder))
    except AgentError:
        return ""
    return identity.hub.device if identity is not None else ""
