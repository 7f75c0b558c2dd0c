"""The files of the simulated border, and the hub's own commands that take them, in the order in which they rest on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from simulator.border import Device, Site
from simulator.catalogue_file import RealItem, contents_csv
from simulator.plan import plan_csv
from simulator.registration import registry_files


class Import(NamedTuple):
    """One file: the words after `ttdn-hub` that take it. Without text it is one that the hub brings itself."""

    command: tuple[str, ...]
    text: str | None

    @property
    def name(self) -> str:
        """What it tells of."""
        return self.command[-1]


def imports(sites: Sequence[Site], devices: Sequence[Device], real: Sequence[RealItem], began_on: date) -> list[Import]:
    """Registry, catalogue and plan. Taking them again changes nothing but what is new."""
    return [
        *(
            Import(("registry", "import", name), text)
            for name, text in registry_files(sites, devices, began_on).items()
        ),
        Import(("catalogue", "import", "topics"), None),
        Import(("catalogue", "import", "contents"), contents_csv(began_on, real)),
        Import(("plan", "import", "items"), plan_csv(sites, began_on)),
    ]
