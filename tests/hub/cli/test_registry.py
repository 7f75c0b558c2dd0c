"""`ttdn-hub registry` as an operator sees it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.hub.command import hub
from tests.hub.registry.test_files import DEMO, DEVICE_HEAD, GOOD, HEAD


def test_import_and_list(database: str, tmp_path: Path) -> None:
    devices = tmp_path / "devices.csv"
    devices.write_text(f"{DEVICE_HEAD}\nk1,kiosk,BG-20-CMA,[bold]Tủ tra cứu\n", encoding="utf-8-sig")
    assert hub("registry", "import-sites", str(DEMO), database=database).stdout == "29 added, 0 changed, 0 unchanged\n"
    done = hub("registry", "import-devices", str(devices), database=database)
    assert (done.returncode, done.stdout) == (0, "1 added, 0 changed, 0 unchanged\n")
    listed = hub("registry", "list", database=database).stdout
    assert "29 sites" in listed
    assert "[bold]Tủ tra cứu" in listed
    told = json.loads(hub("registry", "list", "--json", database=database).stdout)
    assert (len(told["sites"]), told["devices"][0]["site"]) == (29, "BG-20-CMA")


def test_a_refused_file_ends_with_1_and_names_each_problem(database: str, tmp_path: Path) -> None:
    file = tmp_path / "sites.csv"
    file.write_text(f"{HEAD}\n{GOOD.replace('CN', 'XX')}\n{GOOD.replace('chinh', 'y')}\n")
    done = hub("registry", "import-sites", str(file), database=database)
    assert (done.returncode, done.stdout) == (1, "")
    assert "dòng 2, cột neighbour: 'XX'" in done.stderr
    assert "dòng 3, cột gate_type: 'y'" in done.stderr
    assert hub("registry", "import-sites", "missing.csv", database=database).returncode == 2
