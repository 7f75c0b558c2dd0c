"""`ttdn-hub audit`: the proof, per stream, that the tables hold what the ledger says."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from contract.ranges import RangeSet
from hub.cli.database import database
from hub.cli.exits import DIFFERENT
from hub.cli.options import ConfigOption, JsonOption, print_json, settings_of
from hub.store.audit import Audit, StreamAudit
from hub.store.audit import audit as count

_SPANS = 4
_COLUMNS = (
    "device",
    "stream",
    "events",
    "committed",
    "rows",
    "rejected",
    "retired",
    "holes",
    "declared lost",
    "verdict",
)
DeviceOption = Annotated[str | None, typer.Option("--device", help="Only the streams of this device.")]


def audit(config: ConfigOption = None, device: DeviceOption = None, *, as_json: JsonOption = False) -> None:
    """Prove that every event is stored once: the ledger of each stream beside the rows counted in the tables.

    All is well where rows + rejected + retired = committed, no number is stored twice and every row's number is booked
    (exit code 0); otherwise exit code 1. Holes are events that the hub has not got yet, and declared losses are events
    that will never come: both are told and are no error. Reads one consistent snapshot; nobody is kept from writing.
    """
    with database(settings_of(config), "audit") as connection:
        found = count(connection, device)
    if as_json:
        print_json(found.as_json())
    else:
        _show(found)
    if not found.ok:
        raise typer.Exit(DIFFERENT)


def _show(found: Audit) -> None:
    table = Table(*_COLUMNS[:2], header_style="bold")
    for name in _COLUMNS[2:]:
        table.add_column(name, justify="left" if name in {"verdict", "holes", "declared lost"} else "right")
    for stream in found.streams:
        numbers = (stream.events, stream.committed.count(), stream.stored, stream.rejected, stream.retired)
        table.add_row(
            stream.device or "(not in the ledger)",
            stream.stream[:8],
            *(str(number) for number in numbers),
            spans_text(stream.holes),
            spans_text(stream.lost),
            verdict(stream),
            style=None if stream.ok else "bold red",
        )
    console = Console()
    console.print(table)
    console.print(summary(found), style="green" if found.ok else "bold red", soft_wrap=True)


def verdict(stream: StreamAudit) -> str:
    """What is wrong with a stream, in words."""
    problems = []
    if stream.doubled:
        problems.append(f"{stream.doubled} stored twice: {spans_text(stream.doubled_at)}")
    if stream.unbooked:
        problems.append(f"{stream.unbooked.count()} rows not booked: {spans_text(stream.unbooked)}")
    if stream.difference:
        problems.append(f"rows - committed = {stream.difference:+d}")
        if stream.difference < 0 and not stream.retired:
            problems[-1] += f", missing: {spans_text(stream.without_row)}"
    return "; ".join(problems) or "ok"


def summary(found: Audit) -> str:
    """The whole audit in one line."""
    totals = found.totals()
    head = "OK" if found.ok else f"{totals['different']} STREAMS DIFFER"
    parts = ("streams", "devices", "committed", "rows", "rejected", "retired", "holes", "lost", "doubled", "unbooked")
    return f"{head}: " + ", ".join(f"{name} {totals[name]}" for name in parts)


def spans_text(numbers: RangeSet) -> str:
    """The first few ranges, and how many numbers there are in all."""
    if not numbers:
        return "0"
    spans = numbers.spans()
    shown = ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in spans[:_SPANS])
    more = f", … in {len(spans)} ranges" if len(spans) > _SPANS else ""
    return f"{numbers.count()} ({shown}{more})"
