"""The last good configuration of the hub, on disk: an agent that starts without a link goes on with it."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final

from contract import codec
from contract.config import DeviceConfig
from contract.errors import ContractError
from edge_agent.remote.kept_file import KeptFile

NAME: Final = "config.json"
log = logging.getLogger(__name__)


class KeptConfiguration:
    """What the hub set last that was good. Used by one thread."""

    def __init__(self, folder: Path) -> None:
        self._file = KeptFile(folder / NAME)
        self.problem = ""
        """Why what was kept could not be used; the hub sends it again, as the hello tells revision 0."""

    def load(self) -> DeviceConfig | None:
        """What was kept; None if nothing was, or nothing that can be read."""
        try:
            data = self._file.read()
            return None if data is None else codec.decode_config(data, codec.JSON)
        except OSError as error:
            self.problem = f"{self._file.file}: {error.strerror}"
        except ContractError as error:
            self.problem = f"{self._file.file}: {error}; set aside"
            self._put_aside()
        log.error("the hub's configuration cannot be used, the device's own holds: %s", self.problem)
        return None

    def keep(self, config: DeviceConfig) -> None:
        """Durable when this returns. OSError: the old one stays."""
        self._file.replace(codec.inflate(*codec.encode_config(config)))

    def _put_aside(self) -> None:
        try:
            self._file.set_aside()
        except OSError as error:
            log.warning("%s cannot be set aside: %s", self._file.file, error.strerror)
