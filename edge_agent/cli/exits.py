"""What the command's end says to scripts."""

from __future__ import annotations

from typing import Final

OK: Final = 0
TROUBLE: Final = 1
USAGE: Final = 2
NOT_RUNNING: Final = 3
INTERRUPTED: Final = 130
"""What shells say of a program that Ctrl-C ended."""
EPILOG: Final = """exit codes: 0 well; 1 something does not work (the text says what);
2 wrong use or configuration; 3 the agent does not run"""
