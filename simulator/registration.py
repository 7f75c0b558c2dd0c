"""What a province says of itself: its organisations, gates, sites, devices and a campaign, as files for the registry.

Gates are real, organisations and their codes are not: codes begin with D for demo, names end in `(mô phỏng)`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

from simulator.border import Device, Site
from simulator.table import csv_text

CAMPAIGN: Final = "DT-MP-01"
APPROVER: Final = "Hội đồng duyệt nội dung (mô phỏng)"
"""Who approves contents on the simulated border."""
_APPROVER_CODE: Final = "D00"
_GATE_COLUMNS: Final = ("code", "name_vi", "neighbour", "gate_type", "province_code", "lat", "lon", "confidence")


def registry_files(sites: Sequence[Site], devices: Sequence[Device], began_on: date) -> dict[str, str]:
    """All of them by the kinds of the hub's registry, in the order in which they rest on each other."""
    return {
        "provinces": provinces_csv(sites),
        "organisations": organisations_csv(sites),
        "gates": gates_csv(sites),
        "sites": sites_csv(sites),
        "devices": devices_csv(devices),
        "campaigns": campaigns_csv(began_on),
    }


def provinces_csv(sites: Sequence[Site]) -> str:
    """The provinces in which there are sites."""
    names = {site.province_code: site.row["province_vi"] for site in sites}
    blank = {"valid_from": "", "valid_until": "", "merged_into": ""}
    return csv_text([{"code": code, "name_vi": name, **blank} for code, name in sorted(names.items())])


def organisations_csv(sites: Sequence[Site]) -> str:
    """Who approves contents, and in each province who runs its sites."""
    names = {site.province_code: site.row["province_vi"] for site in sites}
    head = _organisation(_APPROVER_CODE, APPROVER, "", "")
    return csv_text([head, *(_department(code, name) for code, name in sorted(names.items()))])


def gates_csv(sites: Sequence[Site]) -> str:
    """One gate a site, as `data/sites.csv` has it."""
    return csv_text([{name: site.row[name] for name in _GATE_COLUMNS} for site in sites])


def sites_csv(sites: Sequence[Site]) -> str:
    """The information points. When they are open nobody has said."""
    return csv_text([_site(site) for site in sites])


def devices_csv(devices: Sequence[Device]) -> str:
    """The devices and where they stand."""
    return csv_text(
        [{"name": one.name, "kind": one.kind, "site": one.site, "title_vi": one.title_vi} for one in devices]
    )


def campaigns_csv(began_on: date) -> str:
    """One campaign, until the end of the year after the one in which the demo began."""
    return csv_text(
        [
            {
                "code": CAMPAIGN,
                "name_vi": "Biên giới hòa bình, hữu nghị, hợp tác và phát triển (mô phỏng)",
                "begins_on": f"{began_on}",
                "ends_on": f"{date(began_on.year + 1, 12, 31)}",
                "organisation": _APPROVER_CODE,
                "document": "01/KH-MP",
            }
        ]
    )


def _site(site: Site) -> dict[str, str]:
    hours = [f"hours_{day}" for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")]
    return {
        "code": site.code,
        "gate": site.code,
        "name_vi": site.name_vi,
        "status": "operating",
        "invested_at": "",
        "funding": "ngan_sach_dia_phuong",
        "organisation": _department_code(site.province_code),
        "lat": "",
        "lon": "",
        **dict.fromkeys(hours, ""),
    }


def _department(province: str, name: str) -> dict[str, str]:
    title = f"Sở Văn hóa, Thể thao và Du lịch {name} (mô phỏng)"
    return _organisation(_department_code(province), title, province, "")


def _department_code(province: str) -> str:
    return f"D{province}.16"


def _organisation(code: str, name: str, province: str, parent: str) -> dict[str, str]:
    blank = {"valid_from": "", "valid_until": ""}
    return {"agency_code": code, "name_vi": name, "province": province, "parent": parent, **blank}
