"""The command `ttdn-hub`: one file a noun. Registered in `app`."""

from hub.cli.app import main

__all__ = ["main"]
