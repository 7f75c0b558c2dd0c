"""`--lang`, for every command that technicians read."""

from __future__ import annotations

import argparse
from typing import Any

from edge_agent import words
from edge_agent.words import LANGUAGES, VARIABLE, Language


def add_option(parser: Any) -> None:
    """The option."""
    parser.add_argument("--lang", choices=LANGUAGES, help=f"language (default: that of {VARIABLE}, else Vietnamese)")


def chosen(options: argparse.Namespace) -> Language:
    """What was asked for."""
    return words.language(options.lang)
