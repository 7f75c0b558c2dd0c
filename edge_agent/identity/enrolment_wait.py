"""An agent that nobody has enrolled yet waits for it, where a service manager has started it.

Ending instead would have the manager start it again every ten seconds, for as long as the kiosk lies in its box; and a
unit that is started by an enrolment would miss the one that is made while it ends. So it waits, says so in the line of
`systemctl status`, and begins within seconds of the enrolment, whoever made it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from edge_agent.config import AgentSettings
from edge_agent.identity.store import read_identity
from edge_agent.sd_notify import Manager

_LOOK_S: Final = 2.0
_STATUS: Final = "chưa đăng ký (not enrolled): sudo ttdn-agent enrol ĐỊA_CHỈ MÃ"
log = logging.getLogger(__name__)


def wait_for_enrolment(
    read: Callable[[], AgentSettings], manager: Manager, pause: Callable[[float], None] = time.sleep
) -> AgentSettings:
    """The settings, once they or an enrolment say who we are and where to go. At once where no manager listens.

    They are read again at each look: a technician may write the name of the device into them.
    """
    settings = read()
    if _is_enrolled(settings) or not manager.listens:
        return settings
    log.info("this device is not enrolled yet; waiting for: ttdn-agent enrol URL CODE")
    manager.status(_STATUS)
    manager.ready()
    while not _is_enrolled(settings):
        manager.alive()
        pause(min(_LOOK_S, manager.watchdog_s / 4 or _LOOK_S))
        settings = read()
    log.info("this device is enrolled now")
    return settings


def _is_enrolled(settings: AgentSettings) -> bool:
    return bool(settings.device and settings.mqtt.brokers) or read_identity(Path(settings.state_folder)) is not None
