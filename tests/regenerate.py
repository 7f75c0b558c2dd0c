"""Everything in the repository that is written from code. `python -m tests.regenerate [NAME ...]` writes it again.

A test keeps each file current; what is generated from what, stands in `GENERATED`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from contract.schemas import schemas
from edge_agent import config_sample as agent_sample
from edge_agent.faults import CODES
from edge_agent.words import vi
from hub.config import sample as hub_sample
from hub.pki.broker import access_rules

ROOT: Final = Path(__file__).resolve().parent.parent
_FAULTS_HEAD: Final = """\
# Mã lỗi · Fault codes

Mọi sự kiện `fault` mang một trong các mã này; `ttdn-agent doctor` nói cùng những lời này.

Every `fault` event carries one of these codes. This page is written from `edge_agent/faults.py` and
`edge_agent/words/vi.py` by `python -m tests.regenerate faults`.

| Mã · Code | Việc cần làm | What it means and what to do |
|---|---|---|
"""


class Generated(NamedTuple):
    """A thing that is generated: its name on the command line, and the text of each of its files."""

    name: str
    files: Callable[[], Mapping[str, str]]
    """Path below the repository's root, to text."""


def fault_table() -> str:
    """docs/faults.md."""
    return _FAULTS_HEAD + "".join(f"| `{code}` | {vi.FAULTS[code]} | {text} |\n" for code, text in CODES.items())


GENERATED: Final = (
    Generated("schemas", lambda: {f"docs/schemas/{name}": text for name, text in schemas().items()}),
    Generated("agent-sample", lambda: {"deploy/agent/agent.sample.toml": agent_sample.sample_toml()}),
    Generated("hub-sample", lambda: {"deploy/hub/hub.sample.toml": hub_sample.sample_toml()}),
    Generated("broker-rules", lambda: {"deploy/hub/mosquitto.acl": access_rules()}),
    Generated("faults", lambda: {"docs/faults.md": fault_table()}),
)


def main(names: Sequence[str]) -> int:
    """Write what is named, or everything. Exit code 2 for a name that is not known."""
    known = [generated.name for generated in GENERATED]
    unknown = [name for name in names if name not in known]
    if unknown:
        print(f"nothing is called {unknown[0]!r}; there are: {', '.join(known)}", file=sys.stderr)
        return 2
    for generated in GENERATED:
        if not names or generated.name in names:
            _write(generated.files())
    return 0


def _write(files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (ROOT / name).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / name).write_text(text, encoding="utf-8")
        print(name)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
