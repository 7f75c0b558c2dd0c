"""The command `ttdn-hub`: one file a noun. Registered in `app`."""

from __future__ import annotations

import sys


def main() -> None:
    """Entry point of `ttdn-hub`. A kiosk has the command too, but not what it needs: it is told so in a sentence."""
    try:
        from hub.cli import app
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.split(".")[0] in {"hub", "contract"}:
            raise
        sys.stderr.write(f"ttdn-hub: {error.name} is not installed here; run: pip install 'ttdn-border[hub]'\n")
        raise SystemExit(2) from None
    app.main()
