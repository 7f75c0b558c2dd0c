"""Files to fill in, as commands hand them out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from hub.errors import ConfigError
from hub.registry import template
from hub.registry.form import Form

XlsxOption = Annotated[
    Path | None,
    typer.Option("--xlsx", metavar="FILE.xlsx", help="Write an Excel workbook instead.", show_default=False),
]


def hand_out(form: Form, xlsx: Path | None) -> None:
    """CSV on standard output, or a workbook where no file is yet. ConfigError if it cannot be written."""
    rows = template.shipped_rows(form)
    if xlsx is None:
        sys.stdout.buffer.write(template.csv_file(form, rows))
        return
    try:
        with xlsx.open("xb") as file:
            file.write(template.workbook(form, rows))
    except FileExistsError:
        raise ConfigError(f"{xlsx} is there already and may have been filled in; give another name") from None
    except OSError as error:
        raise ConfigError(f"{xlsx} cannot be written: {error.strerror}") from None
