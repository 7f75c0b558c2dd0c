"""What commands say in a line: nothing of it is taken for markup, and nothing is broken."""

from __future__ import annotations

from rich.console import Console


def tell(text: str) -> None:
    """On standard output: an answer."""
    Console(soft_wrap=True).print(text, highlight=False, markup=False)


def say(text: str, style: str = "green") -> None:
    """On standard error, so that standard output holds answers only."""
    Console(stderr=True, soft_wrap=True).print(text, style=style, markup=False, highlight=False)
