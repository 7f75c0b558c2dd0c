"""Files to fill in, over HTTP."""

from __future__ import annotations

from typing import Final, Literal

from fastapi import Response

from hub.registry import template
from hub.registry.form import Form

Ending = Literal["csv", "xlsx"]
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV: Final = "text/csv; charset=utf-8"
SUMMARY: Final = "A file to fill in, as CSV or as a workbook that explains itself"


def hand_out(form: Form, ending: Ending) -> Response:
    """Under its own name."""
    rows = template.shipped_rows(form)
    data = template.csv_file(form, rows) if ending == "csv" else template.workbook(form, rows)
    headers = {"Content-Disposition": f'attachment; filename="{form.name}.{ending}"'}
    return Response(data, media_type=CSV if ending == "csv" else XLSX, headers=headers)
