"""Every probe is registered, and every setting is described."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from inspect import isabstract
from types import ModuleType

import msgspec
import pytest
from msgspec import Struct

from edge_agent import probes
from edge_agent.probes.registry import PROBES, Registered

MODULES = [import_module(f"{probes.__name__}.{module.name}") for module in pkgutil.iter_modules(probes.__path__)]


def probe_classes(module: ModuleType) -> set[type]:
    return {
        thing
        for name, thing in vars(module).items()
        if isinstance(thing, type)
        and thing.__module__ == module.__name__
        and name.endswith("Probe")
        and name != "Probe"
        and not isabstract(thing)
    }


def test_every_probe_is_registered_once_under_the_name_of_its_module() -> None:
    found = {(module.__name__.rpartition(".")[2], probe) for module in MODULES for probe in probe_classes(module)}
    assert found == {(registered.name, registered.probe) for registered in PROBES}
    assert len(found) == len(PROBES)


@pytest.mark.parametrize("registered", PROBES, ids=lambda registered: registered.name)
def test_settings_are_frozen_closed_and_described(registered: Registered) -> None:
    config = registered.settings.__struct_config__
    assert config.frozen
    assert config.forbid_unknown_fields
    assert "interval_s" in registered.settings.__struct_fields__
    _, components = msgspec.json.schema_components([registered.settings])
    properties = components[registered.settings.__name__]["properties"]
    assert [name for name, schema in properties.items() if not schema.get("description")] == []


@pytest.mark.parametrize("registered", PROBES, ids=lambda registered: registered.name)
def test_a_probe_can_be_made_and_closed_twice(registered: Registered) -> None:
    required = {"user_data_dir": "/nowhere", "socket_path": "/nowhere/mpv.sock"}
    fields = registered.settings.__struct_fields__
    settings: Struct = msgspec.convert({k: v for k, v in required.items() if k in fields}, registered.settings)
    probe = registered.probe(settings)
    assert probe.name
    assert probe.interval_s > 0
    probe.close()
    probe.wait(60)
    probe.close()
