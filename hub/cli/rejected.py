"""`ttdn-hub registry`."""

import typer

app = typer.Typer()
