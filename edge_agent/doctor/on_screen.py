"""The report on the kiosk's own display for a while: through the player that shows there, else on its console.

Each way ends by itself, also when this process is killed: Chromium's page is a tab of its own that closes itself, mpv
drops an overlay with the connection that made it. Nothing is navigated, so visitors find what they left. The tab is
`about:blank` to the agent: what is recorded of these seconds is that the kiosk's own page was covered.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TextIO

import msgspec
from msgspec import Struct

from edge_agent import words
from edge_agent.config import AgentSettings
from edge_agent.doctor import html, report
from edge_agent.doctor.finding import Finding
from edge_agent.probes.base import ProbeError
from edge_agent.probes.chromium import ChromiumSettings
from edge_agent.probes.connection import LostError
from edge_agent.probes.devtools import BrowserFrozenError, BrowserGoneError, DevTools, read_address
from edge_agent.probes.mpv import MpvSettings
from edge_agent.probes.mpv_ipc import MpvIpc, PlayerFrozenError
from edge_agent.words import Language

CONSOLE: Final = Path("/dev/tty1")
_ANSWER_S: Final = 10.0
_SPARE_S: Final = 5
"""The tab closes itself so much later, if we do not."""
_OVERLAY: Final = 61
_HEIGHT: Final = 720
_CLEAR: Final = "\033[2J\033[H"


class Picture(Struct, frozen=True, kw_only=True):
    """What is to be shown, and for how long."""

    findings: Sequence[Finding]
    device: str
    seconds: int
    language: Language


class NotShown(Exception):
    """No way to the display worked; the text says which were tried and what came of it."""


def show(picture: Picture, settings: AgentSettings | None, console: TextIO | None) -> Callable[[], str]:
    """Put it on the display. What is returned waits until its time is over, restores the display, and says where.

    NotShown if there is no way.
    """
    problems: list[str] = []
    for kind, player in settings.probe_settings() if settings is not None else []:
        try:
            if isinstance(player, ChromiumSettings):
                return _in_chromium(picture, player)
            if isinstance(player, MpvSettings):
                return _over_mpv(picture, player)
        except (LostError, ProbeError) as error:
            problems.append(f"{kind}: {error}")
    if console is None:
        raise NotShown("; ".join([*problems, "no console may be written to; run this with sudo"]))
    try:
        return _on_console(picture, console)
    except OSError as error:
        raise NotShown("; ".join([*problems, f"{console.name}: {error.strerror}"])) from error


def open_console(path: Path) -> TextIO | None:
    """The terminal of a kiosk without a player; only root may have it, so it is opened before root is given up."""
    try:
        return path.open("w", encoding="utf-8", errors="replace")
    except OSError:
        return None


# -- Chromium ----------------------------------------------------------------------------------------------------------


def _in_chromium(picture: Picture, settings: ChromiumSettings) -> Callable[[], str]:
    devtools = DevTools(read_address(Path(settings.user_data_dir)), timeout_s=_ANSWER_S)
    try:
        target = str(_call(devtools, "Target.createTarget", {"url": "about:blank"})["targetId"])
        attach = {"targetId": target, "flatten": True}
        session = str(_call(devtools, "Target.attachToTarget", attach)["sessionId"])
        frame = _call(devtools, "Page.getFrameTree", {}, session)["frameTree"]["frame"]["id"]
        # First its own end, so that a page is never left behind.
        closing = f"setTimeout(() => window.close(), {(picture.seconds + _SPARE_S) * 1000}); 0"
        _call(devtools, "Runtime.evaluate", {"expression": closing}, session)
        text = html.on_screen(picture.findings, picture.device, picture.seconds, picture.language)
        _call(devtools, "Page.setDocumentContent", {"frameId": frame, "html": text}, session)
        _call(devtools, "Target.activateTarget", {"targetId": target})
    except (LostError, ProbeError):
        devtools.close()
        raise

    def finish() -> str:
        try:
            _wait(picture.seconds)
        finally:
            devtools.send("Target.closeTarget", {"targetId": target})
            devtools.receive(1.0)
            devtools.close()
        return settings.screen

    return finish


def _call(devtools: DevTools, method: str, params: dict[str, object], session: str | None = None) -> dict[str, Any]:
    request = devtools.send(method, params, session)
    end_s = time.monotonic() + _ANSWER_S
    while (left_s := end_s - time.monotonic()) > 0:
        message = devtools.receive(left_s)
        if message is not None and message.id == request:
            if message.error is not None:
                raise BrowserGoneError(f"the browser refuses {method}: {message.error.message}")
            result: dict[str, Any] = msgspec.json.decode(message.result)
            return result
    raise BrowserFrozenError(f"the browser does not answer {method}")


# -- mpv ---------------------------------------------------------------------------------------------------------------


def _over_mpv(picture: Picture, settings: MpvSettings) -> Callable[[], str]:
    ipc = MpvIpc(settings.socket_path, timeout_s=settings.timeout_s)
    try:
        ids = ipc.send([["osd-overlay", _OVERLAY, "ass-events", overlay(picture), 0, _HEIGHT, 10, False, False]])
        _await_success(ipc, ids[0], settings.timeout_s)
    except (LostError, ProbeError):
        ipc.close()
        raise

    def finish() -> str:
        try:
            _wait(picture.seconds)
        finally:
            ipc.close()  # and the overlay is gone
        return settings.screen

    return finish


def _await_success(ipc: MpvIpc, request: int, timeout_s: float) -> None:
    end_s = time.monotonic() + timeout_s
    while (left_s := end_s - time.monotonic()) > 0:
        for line in ipc.receive(left_s):
            if line.request_id == request and line.error == "success":
                return
            if line.request_id == request:
                raise ProbeError(f"mpv cannot show an overlay ({line.error}); is it mpv 0.31 or later?")
    raise PlayerFrozenError("mpv does not answer")


def overlay(picture: Picture) -> str:
    """The report as lines of ASS on a dark box, the most urgent first."""
    shown, more = html.most_urgent(picture.findings)
    lines = [words.plain(picture.language, "doctor.heading", device=picture.device)]
    for finding in shown:
        lines += report.lines(finding, picture.language)
    lines += [words.plain(picture.language, "screen.more", count=more)] if more else []
    text = "\\N".join(map(_escaped, lines))
    return f"{{\\an7\\pos(20,20)\\fs18\\bord3\\3c&H202020&\\1c&HFFFFFF&\\q0}}{text}"


def _escaped(line: str) -> str:
    """ASS knows no escape for a backslash: a zero-width one after it keeps it from being one."""
    return line.replace("\\", "\\\u200b").replace("{", "\\{").replace("}", "\\}")


# -- console -----------------------------------------------------------------------------------------------------------


def _on_console(picture: Picture, console: TextIO) -> Callable[[], str]:
    lines = [words.plain(picture.language, "doctor.heading", device=picture.device), ""]
    for finding in picture.findings:
        lines += report.lines(finding, picture.language)
    console.write(_CLEAR + "\r\n".join(lines) + "\r\n")
    console.flush()

    def finish() -> str:
        with console:
            _wait(picture.seconds)
            console.write(_CLEAR)
        return console.name

    return finish


def _wait(seconds: float) -> None:
    time.sleep(seconds)
