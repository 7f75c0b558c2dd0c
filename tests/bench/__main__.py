"""`python -m tests.bench BENCH [--json] [--quick]`."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from tests.bench import agent, ingest, query, storage
from tests.bench.machine import machine, mosquitto_version
from tests.bench.report import say, show

_EPILOG = """\
Everything is real: Mosquitto, PostgreSQL with fsync, hub and agent as processes of their own, Chromium and mpv.
What each figure is, and what was measured last: tests/bench/README.md. Run it on a machine that does nothing else."""


_OURS: Final = ("bench", "run", "folder", "json")
"""What is not handed to the bench."""


def main(arguments: Sequence[str] | None = None) -> int:
    """One bench; exit code 0 if it could be measured, whatever the figures are."""
    options = _parser().parse_args(arguments)
    began = time.monotonic()
    facts: dict[str, Any] = {"bench": options.bench, **machine(), "broker": f"mosquitto {mosquitto_version()}"}
    for name, value in facts.items():
        say(f"{name}: {value}")
    options.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="ttdn-bench-", dir=options.folder) as folder:
        Path(folder).chmod(0o755)  # the servers become other users where we are root
        asked = {name: value for name, value in vars(options).items() if name not in _OURS}
        result = options.run(Path(folder), **asked)
    show({**result, "machine": facts, "took_s": round(time.monotonic() - began)}, as_json=options.json)
    return 0


def _parser() -> argparse.ArgumentParser:
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m tests.bench", epilog=_EPILOG, formatter_class=formatter)
    benches = parser.add_subparsers(dest="bench", required=True, metavar="bench")
    for name, module in (("ingest", ingest), ("agent", agent), ("storage", storage), ("query", query)):
        text = module.__doc__ or ""
        bench = benches.add_parser(name, help=text.partition(": ")[2].splitlines()[0], description=text)
        bench.formatter_class = formatter
        bench.set_defaults(run=module.run)
        bench.add_argument("--json", action="store_true", help="one JSON object on standard output")
        bench.add_argument("--quick", action="store_true", help="hardly any work: shows that it runs, measures nothing")
        if hasattr(module, "options"):
            module.options(bench)
        disk = "where the data lie: a real disk (default: %(default)s)"
        bench.add_argument("--folder", type=Path, default=Path("/var/tmp"), help=disk)
    return parser


if __name__ == "__main__":
    sys.exit(main())
