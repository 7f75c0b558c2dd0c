"""Exit codes of `ttdn-hub`, the same for every command."""

from __future__ import annotations

from typing import Final

OK: Final = 0
DIFFERENT: Final = 1
"""The command worked and its answer is bad news: audit differs, a file is refused, something is left over."""
WRONG: Final = 2
"""The command line or the configuration is wrong; trying again without a change does not help."""
UNAVAILABLE: Final = 3
"""The database cannot be reached, or its schema is of another version."""
STOPPED: Final = 4
"""A part of a running hub stopped by itself, or could not start; starting again may help."""

EPILOG: Final = (
    "Exit codes: 0 all is well; 1 the answer is bad news (audit differs, file refused, something left over); "
    "2 wrong command line or configuration; 3 database out of reach or of another version; "
    "4 a part stopped by itself or could not start. Settings: ttdn-hub config sample."
)
