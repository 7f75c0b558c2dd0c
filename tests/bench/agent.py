"""`python -m tests.bench agent`: what the agent costs a kiosk - memory, processor, start, wire, disk.

A real `ttdn-agent run`, installed as on a kiosk (an environment with its own dependencies alone), with the probes
chromium, mpv, screen and system and with the bridge on, as configured by default; real headless Chromium with a static
page, real mpv that plays two clips of 30 s in turn, real Mosquitto, `ttdn-hub ingest`, PostgreSQL. Nobody touches it.

- start_s: from starting the process to its first status file, which it writes once its first event is committed.
- rss_mb: VmRSS at the end of the idle time (10^6 bytes); rss_mb_peak: VmHWM.
- cpu_percent_idle: user and system time of the process (all threads) over the idle time, in percent of one core.
- wire_bytes_per_event: TCP payload both ways, MQTT's own bytes included, by a relay; `outbox_costs.py`.
- wire_bytes_per_day: TLS and keep-alive included, a day of 8,000 events as in `day.py`; _with_headers: those of TCP and
  IP as well, by the kernel's count of segments.
- disk_bytes_per_event_single, _50: write_bytes of /proc/self/io for events committed one by one, and 50 at a time, in a
  process that does nothing else, checkpoints of the WAL included; on the disk of `--folder`, which must not be tmpfs.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from edge_agent import status_file
from simulator.ports import HOST
from tests.bench.arena import Arena, arena, hub
from tests.bench.child import child
from tests.bench.day import wire_bytes_per_day
from tests.bench.installed import install_agent
from tests.bench.outbox_costs import DEVICE, PASSWORD, disk_bytes_per_event, wire_bytes_per_event
from tests.bench.proc import cpu_s, memory_mb
from tests.bench.report import say
from tests.chromium import ChromiumProcess, Website
from tests.mpv import MpvProcess, make_clip

_PAGE: Final = "<h1>Cửa khẩu quốc tế Tà Lùng</h1><p>Thông tin cho khách qua biên giới</p>"
_CLIP_S: Final = 30
_CONFIG: Final = """\
device = "{device}"
state_folder = "{folder}/state"
runtime_folder = "{folder}/runtime"
[mqtt]
password_file = "{folder}/password"
brokers = [{{host = "{host}", port = {port}, tls = false}}]
[bridge]
enabled = true
port = 0
[probes.chromium]
user_data_dir = "{profile}"
[probes.mpv]
socket_path = "{socket}"
screen = "led"
[probes.screen]
[probes.system]
"""


class Size(NamedTuple):
    """How long is measured."""

    settle_s: float
    idle_s: float
    starts: int
    batches: int
    """For wire and disk."""
    minutes: float
    """Of each half of a day that are lived."""


FULL: Final = Size(settle_s=40, idle_s=90, starts=5, batches=200, minutes=5)
QUICK: Final = Size(settle_s=1, idle_s=1, starts=1, batches=5, minutes=1 / 30)


def run(folder: Path, *, quick: bool) -> dict[str, Any]:
    """The whole bench."""
    size = QUICK if quick else FULL
    result: dict[str, Any] = {}
    with ExitStack() as stack:
        place = stack.enter_context(arena(folder, {DEVICE: PASSWORD}))
        stack.enter_context(hub(place, folder))
        config = stack.enter_context(_kiosk(folder, place))
        result |= _measure_agent(folder, install_agent(folder / "kiosk-venv"), config, size)
        result |= _measure_wire(folder, place, size)
    (folder / "day").mkdir()
    with arena(folder / "day") as place:
        result |= wire_bytes_per_day(folder / "day" / "kiosk", place, size.minutes)
    result |= _measure_disk(folder, size)
    return result


@contextmanager
def _kiosk(folder: Path, place: Arena) -> Iterator[Path]:
    """Chromium and mpv at work; the agent's configuration file."""
    home = folder / "kiosk"
    home.mkdir()
    (home / "password").write_text(PASSWORD)
    clips = [make_clip(home / f"{name}.mp4", _CLIP_S) for name in ("le-hoi-hoa-ban", "cua-khau")]
    website, browser, player = Website({"home": _PAGE}), ChromiumProcess(home / "chromium"), MpvProcess(home)
    try:
        browser.start(website.url("home"))
        player.start("--loop-playlist=inf", *map(str, clips))
        config = home / "agent.toml"
        values = {"device": DEVICE, "folder": home, "host": HOST, "port": place.broker.port}
        config.write_text(_CONFIG.format(**values, profile=browser.profile, socket=player.socket_path))
        yield config
    finally:
        player.kill()
        browser.kill()
        website.close()


def _measure_agent(folder: Path, program: Path, config: Path, size: Size) -> dict[str, Any]:
    starts = []
    for number in range(size.starts):
        with _agent(folder, program, config) as (process, start_s):
            starts.append(start_s)
            say(f"start {number + 1}: {start_s:.3f} s")
            if number == size.starts - 1:
                say(f"settling for {size.settle_s:.0f} s, then {size.idle_s:.0f} s of idle time")
                time.sleep(size.settle_s)
                result = _measure_idle(process.pid, size.idle_s)
                status = status_file.read(config.parent / "runtime")
                assert status is not None
                result["probes_with_errors"] = sorted(name for name, error in status.probes.items() if error)
                result["connected"] = status.connected
    return {**result, "start_s": round(sorted(starts)[len(starts) // 2], 3)}


def _measure_idle(pid: int, idle_s: float) -> dict[str, Any]:
    before_s, began = cpu_s(pid), time.monotonic()
    time.sleep(idle_s)
    percent = (cpu_s(pid) - before_s) / (time.monotonic() - began) * 100
    memory = memory_mb(pid)
    say(f"VmRSS {memory['VmRSS']:.1f} MB, {percent:.2f} % of one core")
    return {
        "rss_mb": round(memory["VmRSS"], 1),
        "rss_mb_peak": round(memory["VmHWM"], 1),
        "cpu_percent_idle": round(percent, 2),
    }


@contextmanager
def _agent(folder: Path, program: Path, config: Path) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
    """A running `ttdn-agent run`, and how long it took to start."""
    ready = config.parent / "runtime" / status_file.NAME
    command = [str(program), "--config", str(config), "run"]
    with (folder / "agent.log").open("ab") as log:
        began = time.monotonic()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        while not ready.exists():
            if process.poll() is not None or time.monotonic() - began > 60:
                raise RuntimeError(f"the agent does not start: {(folder / 'agent.log').read_text()[-2000:]}")
            time.sleep(0.002)
        yield process, time.monotonic() - began
    finally:
        process.terminate()
        process.wait(30)


def _measure_wire(folder: Path, place: Arena, size: Size) -> dict[str, Any]:
    wire = {
        str(events): round(wire_bytes_per_event(folder / f"wire-{events}", place.broker.port, events, size.batches), 1)
        for events in (1, 50)
    }
    say(f"wire: {wire} bytes an event by events a batch")
    return {"wire_bytes_per_event": wire}


def _measure_disk(folder: Path, size: Size) -> dict[str, Any]:
    result = {}
    for name, events in (("single", 1), ("50", 50)):
        with child(disk_bytes_per_event, folder / f"disk-{name}", events, size.batches) as process:
            result[f"disk_bytes_per_event_{name}"] = round(process.answer())
    say(f"disk: {result}")
    return result
