"""`./demo`: the border, simulated, on this machine; with a verdict on every event at the end.

Database, broker and hub are the real ones, embedded; devices run the real agent, simulated is what is on their screens.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
import psycopg

from simulator import incidents, oracle, truth
from simulator.errors import SimulatorError
from simulator.incidents import Judgement
from simulator.interrupts import Interrupted, Interrupts
from simulator.kills import Kill, kills
from simulator.oracle import Verdict
from simulator.progress import Console, Look, Watch, line
from simulator.stage import DRAIN_S, Stage

OK: Final = 0
DAMAGED: Final = 1
UNUSABLE: Final = 2
INTERRUPTED: Final = 130
_WARM_UP_S: Final = 5.0
"""After all devices are online: until their backlog is through and every process has loaded what it needs."""
_ONLINE_S: Final = 20.0
_TICK_S: Final = 0.1
_HELP: Final = """\
examples:
  ./demo                             all 29 sites until Ctrl-C; open the address that it prints
  ./demo --province 20               only Lạng Sơn
  ./demo --seconds 60 --kill --json result.json
                                     a minute in which everything is killed; proves that nothing was lost
  ./demo --data ~/border             keep everything; the next ./demo --data ~/border goes on from there

exit codes:
  0    every event that an agent accepted is in the database, exactly once, and the hub has raised an incident for
       each content that should not have been shown, and for no other
  1    events are lost, doubled or foreign, incidents are missing or unfounded, or the hub's own audit finds a
       difference; the output names them
  2    wrong use, or something does not start here; the text says what to do
  130  interrupted a second time, before the verdict
"""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./demo",
        description="Simulate the border on this machine: 29 sites whose devices run the real agent, with broker,"
        " database and hub. Needs no root and no Docker; everything listens on 127.0.0.1 only.",
        epilog=_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seconds", type=_positive, metavar="N", help="end after N seconds; without it: at Ctrl-C")
    parser.add_argument(
        "--kill",
        action="store_true",
        help="SIGKILL broker, hub, database and a third of the agents on the way, and restart them; needs --seconds",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the verdict and its figures as JSON")
    parser.add_argument("--data", type=Path, metavar="DIR", help="keep everything in DIR and go on from what is there")
    parser.add_argument("--province", metavar="NN", help="only the sites of one province, by its two digits, as in 20")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="another border, another story (default: 1)")
    return parser


def _positive(text: str) -> float:
    value = float(text)
    if not 1 <= value <= 7 * 86_400:
        raise ValueError
    return value


class Demo:
    """One run, from the first server to the verdict."""

    def __init__(self, stage: Stage, options: argparse.Namespace, console: Console, interrupts: Interrupts) -> None:
        self._stage, self._options, self._console, self._interrupts = stage, options, console, interrupts
        self._began_s = self._warm_s = time.monotonic()
        self._measure_from_ms = 0
        self._before: Look | None = None
        self._kills: list[Kill] = []

    def run(self) -> int:
        """Start, watch, finish, judge; the exit code. SimulatorError if something does not work."""
        stage, say = self._stage, self._console.say
        say(f"starting PostgreSQL, broker and hub in {stage.folder}")
        stage.open()
        say(f"the hub: {stage.hub.address}   what is on every screen right now")
        stage.open_border()
        say(f"{len(stage.devices)} devices at {len(stage.sites)} sites start; Ctrl-C ends")
        self._interrupts.expect()
        self._watch()
        say("finishing: the network comes back everywhere, outboxes are brought out (Ctrl-C again: end at once)")
        ending_s = time.monotonic()
        left = stage.finish()
        drained_s = time.monotonic() - ending_s
        return self._judge(left, drained_s)

    # -- while it runs -----------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        self._began_s = time.monotonic()
        due = self._plan_kills()
        look_due_s = self._began_s
        watch = Watch(self._stage.database.dsn)
        try:
            while not self._interrupts.asked.wait(_TICK_S) and (due or not self._is_over()):
                self._note_warm_up()
                if due and self._running_s() >= due[0].at_s:
                    self._kills.append(due.pop(0))
                    self._stage.kill(self._kills[-1])
                self._stage.supervise()
                if time.monotonic() >= look_due_s:
                    look_due_s = time.monotonic() + self._console.every_s
                    self._show(watch.look())
        finally:
            watch.close()

    def _plan_kills(self) -> list[Kill]:
        if not self._options.kill:
            return []
        dice = random.Random(f"{self._stage.seed}/kills")
        return kills(self._options.seconds, len(self._stage.fleet), dice)

    def _running_s(self) -> float:
        return time.monotonic() - self._began_s

    def _is_over(self) -> bool:
        return self._options.seconds is not None and self._running_s() >= self._options.seconds

    def _note_warm_up(self) -> None:
        """Measuring begins a little after all devices are online, or some never are."""
        if self._measure_from_ms:
            return
        if self._stage.online() < len(self._stage.devices) and self._running_s() < _ONLINE_S:
            self._warm_s = time.monotonic()
        elif time.monotonic() - self._warm_s >= _WARM_UP_S:
            self._warm_s = self._running_s()
            self._measure_from_ms = time.time_ns() // 1_000_000

    def _show(self, look: Look | None) -> None:
        text = line(
            look,
            self._before,
            running_s=self._running_s(),
            sites=len(self._stage.sites),
            devices=len(self._stage.devices),
            waiting=self._stage.waiting(),
        )
        self._console.renew(text)
        self._before = look

    # -- the end -----------------------------------------------------------------------------------------------------

    def _judge(self, left: int, drained_s: float) -> int:
        stage, say = self._stage, self._console.say
        measure_from_ms = self._measure_from_ms or time.time_ns() // 1_000_000
        verdict = oracle.judge(stage.database.dsn, stage.journals, measure_from_ms=measure_from_ms)
        judgement = incidents.judge(stage.database.dsn, truth.read(stage.truth), stage.shown_by_right)
        audit = stage.hub.command("audit")
        figures = self._figures(verdict, judgement, left, drained_s, audit.returncode)
        if self._options.json is not None:
            self._options.json.write_bytes(msgspec.json.format(msgspec.json.encode(figures), indent=2) + b"\n")
        say(oracle.text_of(verdict))
        say(incidents.text_of(judgement))
        if left:
            say(f"{left} events could not be brought out of their outboxes within {DRAIN_S:.0f} s")
        if audit.returncode != 0:
            say(f"ttdn-hub audit (exit code {audit.returncode}):\n{(audit.stdout + audit.stderr)[-2000:]}")
        ok = verdict.ok and judgement.ok
        say(_summary(figures, ok=ok))
        return OK if ok and audit.returncode == 0 else DAMAGED

    def _figures(
        self, verdict: Verdict, judgement: Judgement, left: int, drained_s: float, audit: int
    ) -> dict[str, Any]:
        head: dict[str, Any] = {"sites": len(self._stage.sites), "devices": len(self._stage.devices)}
        rest = {
            "contents": msgspec.to_builtins(judgement),
            "left_in_outboxes": left,
            "dropped": self._stage.dropped(),
            "audit_exit_code": audit,
            "warmup_s": round(self._warm_s, 1) if self._measure_from_ms else None,
            "drained_s": round(drained_s, 1),
            "seconds": self._options.seconds,
            "seed": self._options.seed,
            "province": self._options.province,
            "real_devices": [real.device.name for real in self._stage.real],
            "kills": [kill._asdict() for kill in self._kills],
        }
        found: dict[str, Any] = msgspec.to_builtins(verdict)
        return head | found | rest


def _summary(figures: dict[str, Any], *, ok: bool) -> str:
    """The result in one line, in Vietnamese."""
    p99_ms, contents = figures["delay_ms_p99"], figures["contents"]
    delay = "chưa đo" if p99_ms is None else f"{p99_ms / 1000:.2f}".replace(".", ",") + " giây"
    return (
        f"{'ĐẠT' if ok else 'KHÔNG ĐẠT'}: {figures['sites']} điểm, {figures['devices']} thiết bị;"
        f" {figures['produced']} sự kiện đã ghi nhận, {figures['stored']} đã lưu, mất {figures['lost']},"
        f" trùng {figures['duplicated']}, mất đã khai báo {figures['declared']};"
        f" từ màn hình đến cơ sở dữ liệu (p99): {delay};"
        f" sự cố nội dung {contents['incidents']}, thiếu {contents['missing']}, thừa {contents['unexpected']},"
        f" kết luận sai {contents['misjudged']}."
    )


@contextmanager
def _folder(given: Path | None) -> Iterator[Path]:
    """The given folder, made if missing; else one that is gone afterwards. Passable for the database's own user."""
    if given is not None:
        given.mkdir(mode=0o711, parents=True, exist_ok=True)
        yield given.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="ttdn-demo-", ignore_cleanup_errors=True) as made:
        folder = Path(made)
        if os.geteuid() == 0:
            folder.chmod(0o711)  # PostgreSQL will not run as root; its user has to pass through
        yield folder


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; its exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.kill and options.seconds is None:
        parser.error("--kill needs --seconds: what is killed is spread over the run")
    console = Console()
    with Interrupts() as interrupts:
        try:
            with (
                _folder(options.data) as folder,
                Stage(folder, seed=options.seed, province=options.province, tell=console.say) as stage,
                interrupts.deaf_at_the_end(),
            ):
                return Demo(stage, options, console, interrupts).run()
        except Interrupted:
            console.say("interrupted; nothing is left running")
            return INTERRUPTED
        except (SimulatorError, psycopg.Error, OSError) as error:
            sys.stderr.write(f"demo: {error}\n")
            return UNUSABLE


if __name__ == "__main__":
    sys.exit(main())
