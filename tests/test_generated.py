"""What is generated is current, and is what it should be."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from contract.events import EVENT_KINDS
from contract.schemas import schemas
from edge_agent.config import load
from edge_agent.config_sample import sample_toml
from edge_agent.faults import CODES
from tests import regenerate
from tests.contract.test_golden import golden
from tests.regenerate import GENERATED, ROOT, Generated


@pytest.mark.parametrize("generated", GENERATED, ids=lambda generated: str(generated.name))
def test_generated_files_are_current(generated: Generated) -> None:
    for name, text in generated.files().items():
        again = f"run: python -m tests.regenerate {generated.name}"
        assert (ROOT / name).exists(), again
        assert (ROOT / name).read_text(encoding="utf-8") == text, again


def test_no_schema_of_former_times_is_left() -> None:
    assert {file.name for file in (ROOT / "docs" / "schemas").iterdir()} == set(schemas())


def test_schemas_name_every_kind_and_are_portable() -> None:
    event = json.loads(schemas()["event.json"])
    assert set(event["discriminator"]["mapping"]) == {kind.KIND for kind in EVENT_KINDS}
    for text in schemas().values():
        for pattern in re.findall(r'"pattern": (".*")', text):
            assert "\\Z" not in json.loads(pattern)
            assert re.compile(json.loads(pattern))


def test_the_schema_says_of_a_golden_event_what_the_code_says() -> None:
    kinds = json.loads(schemas()["event.json"])["$defs"]
    for kind in EVENT_KINDS:
        told = json.loads(golden(kind.KIND))
        schema = kinds[kind.__name__]
        assert set(told) | {"clock"} == set(schema["properties"])
        assert set(schema["required"]) <= set(told)
        assert schema["additionalProperties"] is False


def test_the_sample_configuration_loads_as_it_stands(tmp_path: Path) -> None:
    settings = load(ROOT / "deploy" / "agent" / "agent.sample.toml", {})
    assert [name for name, _ in settings.probe_settings()] == ["system"]
    everything = re.sub(r"^# (\[probes\.|\[\[mqtt\.|[a-z_]+ = )", r"\1", sample_toml(), flags=re.MULTILINE)
    full = tmp_path / "agent.toml"
    full.write_text(everything)
    assert [name for name, _ in load(full, {}).probe_settings()] == ["chromium", "mpv", "screen", "system"]


def test_every_fault_code_is_in_the_table() -> None:
    table = regenerate.fault_table()
    assert all(f"| `{code}` |" in table for code in CODES)


def test_regeneration_on_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(regenerate, "ROOT", tmp_path)
    assert regenerate.main(["schemas"]) == 0
    assert sorted(file.name for file in (tmp_path / "docs" / "schemas").iterdir()) == sorted(schemas())
    assert regenerate.main(["nothing"]) == 2
    assert "schemas" in capsys.readouterr().err
