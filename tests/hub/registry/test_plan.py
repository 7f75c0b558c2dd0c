"""What a file would do: added, changed from what to what, unchanged, and what is not for its sender to change."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from hub.registry.entries import Campaign, Organisation
from hub.registry.known import GatePeriod, KnownDevice, Stay
from tests.hub.registry.making import EMPTY, KNOWN, ORGANISATION, SITE, example, file_of, planned

CHI_MA = KNOWN.gates["BG-20-CMA"]
GATE = example("gates", since="")


def test_added_changed_and_unchanged() -> None:
    rows = [GATE, GATE | {"code": "BG-20-TTH"}]
    plan = planned("gates", file_of("gates", *rows))
    assert (plan.added, plan.changed, plan.unchanged) == (1, 0, 1)
    plan = planned("gates", file_of("gates", rows[0] | {"gate_type": "quoc_te", "lat": "", "lon": ""}))
    assert (plan.added, plan.changed, plan.unchanged) == (0, 1, 0)
    (change,) = plan.changes
    assert change.as_json() == {
        "row": 2,
        "key": "BG-20-CMA",
        "what": "changed",
        "since": None,
        "fields": {
            "gate_type": {"old": "chinh", "new": "quoc_te"},
            "lat": {"old": "21.8111", "new": None},
            "lon": {"old": "107.0488", "new": None},
        },
    }


@pytest.mark.parametrize(
    ("since", "gate_type", "unchanged"),
    [("", "quoc_te", 1), ("", "chinh", 0), ("01/07/2024", "chinh", 1), ("01/07/2024", "quoc_te", 0),
     ("01/07/2025", "quoc_te", 1), ("01/01/2026", "quoc_te", 1), ("từ đầu", "chinh", 1), ("từ đầu", "quoc_te", 0)],
)  # fmt: skip
def test_a_gate_is_compared_with_what_it_was_on_that_day(since: str, gate_type: str, unchanged: int) -> None:
    changed = CHI_MA._replace(periods=[*CHI_MA.periods, GatePeriod(date(2025, 7, 1), "quoc_te", "20")])
    known = replace(KNOWN, gates={"BG-20-CMA": changed})
    plan = planned("gates", file_of("gates", GATE | {"since": since, "gate_type": gate_type}), known)
    assert plan.unchanged == unchanged
    for change in plan.changes:
        assert change.since() == (since or None)


def test_a_device_is_compared_with_where_it_stood_at_that_moment() -> None:
    moved = datetime(2025, 9, 1, 1, tzinfo=UTC)
    stays = [Stay(None, "BG-20-CMA"), Stay(moved, "BG-20-TTH")]
    sites = {"BG-20-CMA": SITE, "BG-20-TTH": SITE._replace(code="BG-20-TTH")}
    known = replace(KNOWN, devices={"k1": KnownDevice("k1", "kiosk", None, True, stays)}, sites=sites)
    row = example("devices", name="k1", title_vi="")
    for since, site, unchanged in (
        ("", "BG-20-TTH", 1), ("", "BG-20-CMA", 0),
        ("01/09/2025 08:00", "BG-20-TTH", 1), ("01/09/2025 07:59", "BG-20-CMA", 1), ("1/9/2025 7:59", "BG-20-TTH", 0),
    ):  # fmt: skip
        plan = planned("devices", file_of("devices", row | {"since": since, "site": site}), known)
        assert (plan.unchanged, len(plan.problems)) == (unchanged, 0), (since, site)


def test_a_device_that_was_only_heard_of() -> None:
    known = replace(KNOWN, devices={"bg-20-cma-k1": KnownDevice("bg-20-cma-k1", None, None, False, [Stay(None, None)])})
    (change,) = planned("devices", file_of("devices", example("devices", title_vi="")), known).changes
    assert change.fields() == {"kind": (None, "kiosk"), "site": (None, "BG-20-CMA")}


def test_a_plan_tells_changes_and_problems_together() -> None:
    plan = planned("gates", file_of("gates", GATE | {"gate_type": "phu"}, GATE | {"code": "x y"}))
    assert (len(plan.changes), len(plan.problems)) == (1, 1)
    assert plan.as_json()["problems"][0] == {
        "row": 3,
        "column": "code",
        "problem": "'x y' không hợp lệ; cần chữ in hoa không dấu, số, dấu gạch ngang, tối đa 32 ký tự, như BG-20-CMA",
    }


ELSEWHERE = Organisation("H49.3", "Sở khác", "22", None, None, None)
NATIONAL = Organisation("G09", "Bộ VHTTDL", None, None, None, None)
BORDER = replace(
    KNOWN,
    organisations={one.agency_code: one for one in (ORGANISATION, ELSEWHERE, NATIONAL)},
    gates={**KNOWN.gates, "BG-22-HMO": CHI_MA._replace(code="BG-22-HMO", periods=[GatePeriod(date.min, "phu", "22")])},
    sites={"BG-20-CMA": SITE, "BG-22-HMO": SITE._replace(code="BG-22-HMO", gate="BG-22-HMO")},
    devices={"k2": KnownDevice("k2", "kiosk", None, True, [Stay(None, "BG-22-HMO")])},
    campaigns={"DT-1": Campaign("DT-1", "x", date(2025, 1, 1), date(2025, 1, 2), "H49.3", None)},
)


@pytest.mark.parametrize(
    ("kind", "cells", "foreign"),
    [
        ("gates", {"since": ""}, None),
        ("gates", {"province_code": "22"}, "tỉnh 22"),
        ("gates", {"code": "BG-22-HMO"}, "tỉnh 22"),
        ("sites", {"organisation": ""}, None),
        ("sites", {"code": "BG-22-X", "gate": "BG-22-HMO"}, "tỉnh 22"),
        ("points", {}, None),
        ("points", {"code": "BG-22-HMO"}, "tỉnh 22"),
        ("points", {"province_code": "04", "province_vi": "Cao Bằng"}, "tỉnh 04"),
        ("devices", {}, None),
        ("devices", {"site": "BG-22-HMO"}, "tỉnh 22"),
        ("devices", {"name": "k2"}, "tỉnh 22"),
        ("organisations", {"parent": ""}, None),
        ("organisations", {"agency_code": "H49.3", "parent": ""}, "tỉnh 22"),
        ("organisations", {"province": "", "parent": ""}, "tất cả các tỉnh"),
        ("campaigns", {}, None),
        ("campaigns", {"code": "DT-1"}, "tỉnh 22"),
        ("campaigns", {"organisation": "G09"}, "tất cả các tỉnh"),
        ("campaigns", {"organisation": ""}, "tất cả các tỉnh"),
        ("activities", {}, None),
        ("activities", {"organisation": "H49.3"}, "tỉnh 22"),
        ("provinces", {}, "tất cả các tỉnh"),
    ],
)
def test_what_is_not_for_its_sender_to_change(kind: str, cells: dict[str, str], foreign: str | None) -> None:
    file = file_of(kind, example(kind, **cells))
    assert planned(kind, file, BORDER).problems == []
    told = [str(one) for one in planned(kind, file, BORDER, frozenset({"20"})).problems]
    if foreign is None:
        assert told == []
    else:
        assert [one.split("; ")[1] for one in told] == ["bỏ dòng này khỏi tệp"]
        assert f"dòng này thuộc {foreign}, ngoài phạm vi được sửa: 20" in told[0]


def test_names_of_provinces_over_time() -> None:
    (yen_bai, lao_cai) = planned("provinces", file_of(
        "provinces",
        example("provinces", code="15", name_vi="Yên Bái", valid_from="", valid_until="01/07/2025", merged_into="15"),
        example("provinces", code="15", name_vi="Lào Cai"),
    ), EMPTY).changes  # fmt: skip
    known = replace(EMPTY, provinces={"15": [lao_cai.entry, yen_bai.entry]})
    assert known.province_name("15", date(2025, 6, 30)) == "Yên Bái"
    assert known.province_name("15", date(2025, 7, 1)) == "Lào Cai"
    assert known.province_name("16", date(2025, 7, 1)) is None
    assert known.province_of_site("BG-1") is None
