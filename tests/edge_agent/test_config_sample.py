"""The sample configuration: a file that loads as it stands and says everything that can be set."""

from __future__ import annotations

import re
from pathlib import Path

from edge_agent.config import AgentSettings, BrokerSettings, MqttSettings, load
from edge_agent.config_sample import sample_toml
from edge_agent.probes.registry import PROBES


def read(folder: Path, text: str) -> AgentSettings:
    file = folder / "agent.toml"
    file.write_text(text, encoding="utf-8")
    return load(file, {})


def test_the_sample_says_everything_that_can_be_set(tmp_path: Path) -> None:
    text = sample_toml()
    settings = read(tmp_path, text)
    assert [name for name, _ in settings.probe_settings()] == ["system"]
    for registered in PROBES:
        assert f"[probes.{registered.name}]" in text
        for field in registered.settings.__struct_fields__:
            assert f"{field} = " in text, f"{registered.name}.{field}"


def test_the_sample_shows_the_defaults(tmp_path: Path) -> None:
    shown = re.sub(r"^# (\[probes\.|\[\[mqtt\.|[a-z_0-9]+ = )", r"\1", sample_toml(), flags=re.MULTILINE)
    bare, everything = read(tmp_path, sample_toml()), read(tmp_path, shown)
    for section in ("device", "outbox", "playlog", "bridge", "state_folder", "runtime_folder"):
        assert getattr(everything, section) == getattr(bare, section)
    assert bare.mqtt == MqttSettings()
    assert everything.mqtt == MqttSettings(brokers=(BrokerSettings(host="hub.example.vn"),))
    defaults = {registered.name: registered.settings() for registered in PROBES}
    assert dict(everything.probe_settings()) == defaults


def test_every_key_says_what_it_means() -> None:
    before = ""
    for line in sample_toml().splitlines():
        if re.match(r"(# )?[a-z_0-9]+ = ", line):
            key = line.removeprefix("# ").partition(" = ")[0]
            assert before.startswith("# "), key
            assert before != f"# {key}", f"{key} has no description"
        before = line
