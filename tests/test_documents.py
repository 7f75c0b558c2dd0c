"""The documents are true: every command in them is run by a test, every file and link that they name exists."""

from __future__ import annotations

import ast
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from tests.deploy.hub_guide import GUIDE, blocks
from tests.regenerate import ROOT

DOCUMENTS = (
    "README.md",
    "CONTRIBUTING.md",
    "docs/architecture.md",
    "docs/readers.md",
    "docs/cap-nhat.md",
    "docs/cai-dat-hub.md",
    "docs/install-hub.md",
)
RUN_HERE = {
    "ttdn-agent check-config",
    "ttdn-agent sample-config",
    "ttdn-hub config sample",
    "ttdn-hub migrate",
    "ttdn-hub audit",
    "ttdn-hub counts verify",
    "ttdn-hub maintain",
    "ttdn-hub plan results",
    "ttdn-hub plan summary",
    "ttdn-hub incident list",
    "ttdn-hub rejected retry",
    "ttdn-hub token create grafana --scope read --province 20 --days 90",
    "python -m tests.regenerate schemas",
    "python -m tests.regenerate faults",
}
RUN_BY = {
    "./demo": "tests/test_demo_script.py::test_the_demo_runs_with_its_arguments_and_the_second_start_installs_nothing",
    "./demo --seconds 60 --kill --json result.json": "tests/simulator/test_demo.py::",
    "./test": "tests/test_test_script.py::test_without_arguments_everything_runs_and_one_failure_fails_it",
    "./test tests/contract -k x": "tests/test_test_script.py::test_arguments_go_to_pytest_alone",
    "./test --full": "tests/test_test_script.py::test_full_needs_other_debians_and_deselects_nothing",
    "python -m tests.bench ingest --json": "tests/bench/test_bench.py::",
    "python -m tests.bench agent": "tests/bench/test_bench.py::",
    "pip install ttdn-border": "tests/test_wheel.py::",
    "pip install 'ttdn-border[hub]'": "tests/test_wheel.py::",
    "ttdn-hub ingest": "tests/chaos/test_colleagues.py::test_the_processes_share_the_work_and_end_together",
    "ttdn-agent enrol https://ttdn.example.vn": (
        "tests/edge_agent/identity/test_enrol_command.py::test_it_asks_for_a_code"
    ),
    "ttdn-agent run": "tests/edge_agent/test_cli.py::",
    "ttdn-agent status": "tests/edge_agent/test_cli.py::",
    "ttdn-agent doctor": "tests/edge_agent/doctor/test_examination.py::test_a_machine_with_nothing_gets_advice",
    "ttdn-agent doctor --on-screen": "tests/edge_agent/doctor/test_on_screen.py::",
    "ttdn-agent page on": "tests/edge_agent/doctor/test_phone_page.py::test_on_and_off_by_command",
    "ttdn-agent page off": "tests/edge_agent/doctor/test_phone_page.py::test_on_and_off_by_command",
    "ttdn-hub user add nguyen.an --role staff --province 20": (
        "tests/hub/cli/test_people.py::test_the_terminal_asks_twice_and_shows_nothing"
    ),
    "ttdn-hub user unlock nguyen.an": "tests/hub/cli/test_people.py::test_locked_and_unlocked",
    "ttdn-hub registry template gates --xlsx gates.xlsx": "tests/hub/cli/test_registry.py::test_the_way_of_a_workbook",
    "ttdn-hub registry import gates gates.xlsx --preview": "tests/hub/cli/test_registry.py::test_the_way_of_a_workbook",
    "ttdn-hub registry import gates gates.xlsx": "tests/hub/cli/test_registry.py::test_the_way_of_a_workbook",
    "ttdn-hub catalogue template contents --xlsx contents.xlsx": (
        "tests/hub/cli/test_catalogue.py::test_the_way_of_a_workbook"
    ),
    "ttdn-hub plan template items --xlsx items.xlsx": "tests/hub/cli/test_catalogue.py::test_the_way_of_a_workbook",
    "ttdn-hub catalogue import contents contents.xlsx": ("tests/hub/cli/test_catalogue.py::test_the_way_of_a_workbook"),
    "ttdn-hub roles apply": "tests/hub/cli/test_roles.py::test_apply_list_apply_again_and_drop",
    "ttdn-hub roles list": "tests/hub/cli/test_roles.py::test_apply_list_apply_again_and_drop",
    "ttdn-hub pki init": "tests/hub/cli/test_device.py::test_the_authority_is_made_once_and_tells_of_itself",
    "ttdn-hub pki status": "tests/hub/cli/test_device.py::test_the_authority_is_made_once_and_tells_of_itself",
    "ttdn-hub pki broker-config": "tests/hub/cli/test_device.py::test_broker_and_proxy_get_their_files",
    "ttdn-hub pki proxy-config": "tests/hub/cli/test_device.py::test_broker_and_proxy_get_their_files",
    "ttdn-hub device revoke": "tests/hub/cli/test_device.py::test_a_device_is_added_and_its_code_handed_out",
    "ttdn-hub serve": "tests/hub/cli/test_run.py::test_serve_migrates_waits_for_its_broker_and_ends_in_order",
    "ttdn-hub release keygen release.key": ("tests/hub/releases/test_releases.py::test_keygen_pack_add_list"),
    "ttdn-hub release pack wheels --key release.key --out ttdn-agent-0.2.0-aarch64.ttdn": (
        "tests/hub/releases/test_releases.py::test_keygen_pack_add_list"
    ),
    "ttdn-hub release add ttdn-agent-0.2.0-aarch64.ttdn": (
        "tests/hub/releases/test_releases.py::test_keygen_pack_add_list"
    ),
    "ttdn-hub release list": ("tests/hub/releases/test_releases.py::test_keygen_pack_add_list"),
    "ttdn-hub rollout start 0.2.0 --group kiosk-cma --step 1,10%,100%": (
        "tests/hub/cli/test_rollout.py::test_start_status_halt_resume_stop"
    ),
    "ttdn-hub rollout status": ("tests/hub/cli/test_rollout.py::test_start_status_halt_resume_stop"),
    "ttdn-hub rollout resume 1": ("tests/hub/cli/test_rollout.py::test_start_status_halt_resume_stop"),
    "sudo ttdn-agent update /media/usb/ttdn-agent-0.2.0-aarch64.ttdn": (
        "tests/edge_agent/update/test_fetching.py::test_the_command_takes_a_stick"
    ),
    "deploy/agent/wheels.sh --arch aarch64 --python 3.11 --output wheels": ("tests/deploy/test_scripts.py::"),
    "ttdn-agent doctor --json": (
        "tests/edge_agent/update/test_installer.py::test_a_good_version_stays_and_one_that_breaks_a_probe_goes_back"
    ),
}
HUB_GUIDE = "tests/deploy/test_hub_machine.py::test_the_guide_from_a_fresh_debian_to_a_kiosk_and_back_from_a_backup"
"""Runs the guide's blocks as they stand; both guides have the same (tests/deploy/test_hub_scripts.py)."""
RUN_BY |= {line: HUB_GUIDE for lines in blocks(GUIDE).values() for line in lines}
_BLOCK = re.compile(r"^```sh\n(.*?)^```", re.DOTALL | re.MULTILINE)
_INLINE = re.compile(r"`((?:\./(?:demo|test)|ttdn-(?:agent|hub)(?![\w-])|python -m|pip install)\b[^`|]*)`")
_LINK = re.compile(r"\]\(([^)#]+)(#[^)]*)?\)")


def commands(document: str) -> set[str]:
    text = (ROOT / document).read_text(encoding="utf-8")
    lines = [line for block in _BLOCK.findall(text) for line in block.splitlines()]
    inline = [" ".join(command.split()) for command in _INLINE.findall(text)]  # a line may end within one
    found = [re.split(r"\s+#", line)[0].strip() for line in lines if line.strip() and not line.startswith("#")]
    return {command for command in [*found, *inline] if command not in {"ttdn-hub", "ttdn-agent"}}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_command_of_a_document_is_run_by_a_test(document: str) -> None:
    unknown = commands(document) - RUN_HERE - RUN_BY.keys()
    assert not unknown, f"{document} has commands that no test runs: {sorted(unknown)}"


def test_no_command_is_listed_that_no_document_has() -> None:
    assert not (RUN_HERE | RUN_BY.keys()) - set().union(*map(commands, DOCUMENTS))


@pytest.mark.parametrize("test", sorted(set(RUN_BY.values())))
def test_the_tests_that_run_the_others_exist(test: str) -> None:
    file, _, name = test.partition("::")
    functions = [
        node.name
        for node in ast.parse((ROOT / file).read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef)
    ]
    assert name in functions if name else any(function.startswith("test_") for function in functions)


@pytest.mark.parametrize("command", sorted(RUN_HERE))
def test_the_command_works(command: str, database: str, connection: psycopg.Connection, tmp_path: Path) -> None:
    assert connection.info.dbname
    (tmp_path / "password").write_text("secret")
    settings = {
        "TTDN_AGENT_CONFIG": str(ROOT / "deploy" / "agent" / "agent.sample.toml"),
        "TTDN_AGENT_MQTT__PASSWORD_FILE": str(tmp_path / "password"),
        "TTDN_HUB_DATABASE__DSN": database,
    }
    bin_folder = Path(sys.executable).parent
    ran = subprocess.run(
        shlex.split(command),
        env={**os.environ, **settings, "PATH": f"{bin_folder}:{os.environ['PATH']}"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_and_folders_exist(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    for target, _ in _LINK.findall(text):
        if "://" not in target:
            assert (ROOT / document).parent.joinpath(target).exists(), f"{document} links to {target}"


def test_every_room_is_in_the_architecture() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rooms = [folder.name for folder in ROOT.iterdir() if (folder / "__init__.py").exists()]
    rooms += [f"hub/{folder.name}" for folder in (ROOT / "hub").iterdir() if (folder / "__init__.py").exists()]
    missing = [room for room in rooms if f"`{room}/`" not in text]
    assert not missing, f"docs/architecture.md does not say what lives in {missing}"
