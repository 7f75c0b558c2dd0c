"""Saying things to whoever typed the command."""

from __future__ import annotations

import os
import sys

from edge_agent.errors import AgentFailed


def say(text: str) -> None:
    """One text for the user; a reader that has heard enough (`| head`) changes nothing, a full disk is told."""
    try:
        # A file's name may hold bytes that are no text.
        print(text.encode(errors="backslashreplace").decode(), flush=True)  # noqa: T201 - it speaks to its user
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left in the buffer goes there
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise AgentFailed(f"cannot write the answer to standard output: {error.strerror}") from error
