"""Files of people, as commands take them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from hub.registry import workbook
from hub.registry.rows import MOST_BYTES

_OF_EXCEL: Final = frozenset({".xlsx", ".xlsm", ".xls"})
FileArgument = Annotated[
    Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, readable=True, show_default=False)
]
OptionalFileArgument = Annotated[
    Path | None,
    typer.Argument(metavar="[FILE]", exists=True, dir_okay=False, readable=True, show_default=False),
]
PreviewOption = Annotated[bool, typer.Option("--preview", help="Only show what the file would do, and all errors.")]


def data_of(file: Path) -> bytes:
    """What is in it, up to one byte more than anybody takes. ImportRefused for a workbook by name that is none."""
    with file.open("rb") as opened:
        data = opened.read(MOST_BYTES + 1)
    if file.suffix.lower() in _OF_EXCEL:
        workbook.refuse_false(data)
    return data
