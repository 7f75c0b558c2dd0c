"""Files of people, as commands take them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

FileArgument = Annotated[
    Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, readable=True, show_default=False)
]
OptionalFileArgument = Annotated[
    Path | None,
    typer.Argument(metavar="[FILE]", exists=True, dir_okay=False, readable=True, show_default=False),
]
PreviewOption = Annotated[bool, typer.Option("--preview", help="Only show what the file would do, and all errors.")]
