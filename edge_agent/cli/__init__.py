"""`ttdn-agent`: one module a command, listed in `app`."""

from edge_agent.cli.app import main

__all__ = ["main"]
