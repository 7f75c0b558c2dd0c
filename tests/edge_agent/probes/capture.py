"""Writes the folders in `testcases/`: what the real programs said, and what the probe made of it.

    python -m tests.edge_agent.probes.capture

Each case has `exchange.jsonl`, one object a line in the order of events (`raw`: a line received; `asked`: the ids sent;
`now`: CLOCK_BOOTTIME as the probe read it; `read`: a read has ended), and `expected.json`, the readings of the last
read, to be checked by eye before it is committed.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import msgspec

from edge_agent.clock import boottime_ms
from edge_agent.observation import Reading
from edge_agent.probes import devtools, mpv_ipc
from edge_agent.probes.base import Probe
from edge_agent.probes.chromium import ChromiumProbe, ChromiumSettings
from edge_agent.probes.mpv import MpvProbe, MpvSettings
from tests.chromium import ChromiumProcess, Hand, Website
from tests.edge_agent.probes.watching import View, look, watch
from tests.mpv import MpvProcess, make_clip, make_image, make_stuck_clip

CASES: Final = Path(__file__).parent / "testcases"


class Recorder:
    """One case while it is captured."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []
        self.readings: Sequence[Reading] = ()

    def now(self) -> int:
        self.lines.append({"now": boottime_ms()})
        return int(self.lines[-1]["now"])

    def save(self, player: str, name: str) -> None:
        folder = CASES / player / name
        folder.mkdir(parents=True, exist_ok=True)
        exchange = b"".join(msgspec.json.encode(line) + b"\n" for line in self.lines)
        # Where it was captured is nobody's business.
        (folder / "exchange.jsonl").write_bytes(exchange.replace(os.fsencode(Path.cwd()), b"/home/kiosk"))
        (folder / "expected.json").write_bytes(msgspec.json.format(plain(self.readings), indent=2) + b"\n")

    def watched(self, probe: Probe) -> Probe:
        read = probe.read

        def recorded() -> Sequence[Reading]:
            self.readings = read()
            self.lines.append({"read": True})
            return self.readings

        probe.read = recorded  # type: ignore[method-assign]
        return probe


def plain(readings: Sequence[Reading]) -> bytes:
    """Readings as JSON, without the time of the look and the hash."""
    objects = msgspec.to_builtins(list(readings))
    for reading in objects:
        reading.pop("at_ms", None)
        if reading.get("content"):
            reading["content"].pop("sha256")
    return msgspec.json.encode(objects)


@contextmanager
def recording(recorder: Recorder) -> Iterator[None]:
    """Have everything that is sent and received written down."""
    parse_message, parse_line = devtools.parse_message, mpv_ipc.parse_line
    ask, send = devtools.DevTools.send, mpv_ipc.MpvIpc.send

    def message(text: str | bytes) -> devtools.Message:
        recorder.lines.append({"raw": text})
        return parse_message(text)

    def line(text: bytes) -> mpv_ipc.Line:
        recorder.lines.append({"raw": text.decode()})
        return parse_line(text)

    def asked(
        self: devtools.DevTools, method: str, params: dict[str, Any] | None = None, session: str | None = None
    ) -> int:
        request = ask(self, method, params, session)
        if method == "Runtime.evaluate":
            recorder.lines.append({"asked": [request], "session": session})
        return request

    def sent(self: mpv_ipc.MpvIpc, commands: Sequence[Sequence[object]]) -> range:
        ids = send(self, commands)
        recorder.lines.append({"asked": list(ids)})
        return ids

    with (
        patch.object(devtools, "parse_message", message),
        patch.object(mpv_ipc, "parse_line", line),
        patch.object(devtools.DevTools, "send", asked),
        patch.object(mpv_ipc.MpvIpc, "send", sent),
    ):
        yield


def capture_page(name: str, act: Callable[[Hand, Website], object], until: Callable[[View], bool]) -> None:
    """Start at a good page, do something, and watch."""
    pages = {"one": "one", "two": "two", "endless": "<script>setTimeout(() => { for (;;); }, 300)</script>"}
    site, recorder = Website(pages), Recorder()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        browser = ChromiumProcess(Path(folder)).start(site.url("one"))
        probe = ChromiumProbe(ChromiumSettings(user_data_dir=folder, timeout_s=1), now_ms=recorder.now)
        with browser.steer() as hand:
            watch(probe, lambda view: view.showing.rendering is True)
            probe.close()
            probe = ChromiumProbe(ChromiumSettings(user_data_dir=folder, timeout_s=1), now_ms=recorder.now)
            recorder.lines.clear()
            recorder.watched(probe)
            with recording(recorder):
                look(probe)
            act(hand, site)
            with recording(recorder):
                watch(probe, until)
        probe.close()
        browser.kill()
    site.close()
    recorder.save("chromium", name)


def capture_media(name: str, arguments: list[str], until: Callable[[View], bool], *then: Sequence[object]) -> None:
    """Start mpv with arguments, give it commands once it plays, and watch."""
    recorder = Recorder()
    with tempfile.TemporaryDirectory() as folder:
        media = Path(folder)
        make_clip(media / "long.mkv", 60)
        make_clip(media / "short.mkv", 1)
        make_stuck_clip(media / "stuck.mkv", 20)
        make_image(media / "still.png")
        (media / "corrupt.mkv").write_bytes(b"no video" * 500)
        player = MpvProcess(media).start(*(argument.format(media=media) for argument in arguments))
        settings = MpvSettings(socket_path=player.socket_path, media_folder=folder, stuck_s=2, hash_media=False)
        probe = MpvProbe(settings, now_ms=recorder.now)
        recorder.watched(probe)
        with recording(recorder):
            watch(probe, lambda view: view.showing.rendering is True or not then)
        for command in then:
            player.command(*(str(word).format(media=media) for word in command))
        with recording(recorder):
            watch(probe, until)
        probe.close()
        player.kill()
    for line in recorder.lines:
        if "raw" in line:
            line["raw"] = line["raw"].replace(folder, "/media")
    recorder.save("mpv", name)


def main() -> None:
    """Capture all cases."""
    capture_page("good", lambda *_: None, lambda view: view.showing.rendering is True)
    capture_page("navigated", lambda hand, site: hand.navigate(site.url("two")), lambda view: view.showing.turn == 2)
    refused = "http://127.0.0.1:1/x"
    capture_page(
        "failed_load", lambda hand, _: hand.navigate(refused), lambda view: "page_load_failed" in view.troubles
    )
    capture_page("crashed", lambda hand, _: hand.crash(), lambda view: "page_crashed" in view.troubles)
    capture_page(
        "hung", lambda hand, site: hand.navigate(site.url("endless")), lambda view: "page_hung" in view.troubles
    )
    capture_page("minimised", lambda hand, _: hand.set_window("minimized"), lambda view: "page_hidden" in view.troubles)
    capture_page("covered", lambda hand, site: hand.open_tab(site.url("two")), lambda view: view.showing.turn == 2)

    capture_media("playing", ["{media}/long.mkv"], lambda view: view.showing.rendering is True)
    capture_media("playlist", ["{media}/short.mkv", "{media}/long.mkv"], lambda view: view.ref == "long.mkv")
    capture_media("loop_file", ["--loop-file=inf", "{media}/short.mkv"], lambda view: view.showing.turn == 3)
    capture_media(
        "image", ["--image-display-duration=inf", "{media}/still.png"], lambda view: view.showing.rendering is True
    )
    capture_media("stuck", ["{media}/stuck.mkv"], lambda view: "video_stuck" in view.troubles)
    capture_media("corrupt", ["{media}/long.mkv"], lambda view: view.ref is None, ("loadfile", "{media}/corrupt.mkv"))
    pause = ("set", "pause", "yes")
    capture_media("paused", ["{media}/long.mkv"], lambda view: view.showing.rendering is False, pause)
    capture_media("finished", ["{media}/short.mkv"], lambda view: view.ref is None)


if __name__ == "__main__":
    main()
