"""Saying things to whoever typed the command."""

from __future__ import annotations

import os
import sys
import unicodedata

from edge_agent.errors import AgentFailed


def say(text: str) -> None:
    """One text for the user; a reader that has heard enough (`| head`) changes nothing, a full disk is told."""
    try:
        # A file's name may hold bytes that are no text.
        print(_shown(text.encode(errors="backslashreplace").decode()), flush=True)  # noqa: T201 - it speaks to its user
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left in the buffer goes there
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise AgentFailed(f"cannot write the answer to standard output: {error.strerror}") from error


def _shown(text: str) -> str:
    """Without what would command a terminal: texts out of files that others can write are said, too."""
    return "".join(one if one in "\n\t" or unicodedata.category(one) != "Cc" else f"\\x{ord(one):02x}" for one in text)
