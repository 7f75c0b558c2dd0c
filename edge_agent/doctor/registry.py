"""Every check there is, in the order in which a technician looks. A new check is one file and one line here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from edge_agent.doctor.checks import (
    broker,
    budget,
    certificate,
    clock,
    configuration,
    machine,
    modem,
    names,
    network,
    outbox,
    probes,
    screens,
    service,
    tls,
)
from edge_agent.doctor.finding import Finding
from edge_agent.doctor.place import Place


class Check(NamedTuple):
    """`run` gives what it finds as it finds it; nothing where it does not apply. `name` has a title in `words`."""

    name: str
    run: Callable[[Place], Iterable[Finding]]
    deadline_s: float
    """From the beginning of the whole examination on: all checks run beside each other."""


CHECKS: Final[tuple[Check, ...]] = (
    Check("config", configuration.check, 5),
    Check("service", service.check, 15),
    Check("modem", modem.check, 30),
    Check("network", network.check, 5),
    Check("dns", names.check, 20),
    Check("certificate", certificate.check, 10),
    Check("clock", clock.check, 5),
    Check("tls", tls.check, 40),
    Check("broker", broker.check, 50),
    Check("storage", machine.check, 30),
    Check("probe", probes.check, 40),
    Check("screen", screens.check, 10),
    Check("outbox", outbox.check, 30),
    Check("budget", budget.check, 5),
)
