"""Identify, snapshot and restart of a Chromium, over a DevTools connection of its own beside the probe's.

The name is shown by an element in the browser's top layer, made from an isolated world: the page's scripts see neither
our code nor its variables, and its content security policy does not bind us. It removes itself.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec

from contract.command import MAX_PICTURE_BYTES, Picture
from edge_agent.probes.base import ProbeError
from edge_agent.probes.chromium import ChromiumSettings
from edge_agent.probes.connection import LostError
from edge_agent.probes.devtools import DevTools, read_address
from edge_agent.remote.hand import IDENTIFY_S, HandError

_ANSWER_S: Final = 8.0
_SIZES: Final = ((640, 30), (480, 25), (320, 20), (160, 10))
"""Width in pixels and JPEG quality, tried in turn until the picture is small enough."""
_SHOW: Final = """((lines, ms) => {
  const sheet = document.createElement('div');
  const looks = {position: 'fixed', inset: '0', width: '100%', height: '100%', margin: '0', border: '0',
    padding: '0 4vw', 'box-sizing': 'border-box', background: '#00284d', color: '#fff', display: 'flex',
    'flex-direction': 'column', 'justify-content': 'center', 'align-items': 'center', 'text-align': 'center',
    'font': '700 6vw sans-serif', 'z-index': '2147483647', 'pointer-events': 'none', 'overflow-wrap': 'anywhere'};
  for (const key in looks) sheet.style.setProperty(key, looks[key], 'important');
  for (const line of lines) {
    const row = document.createElement('div');
    row.textContent = line;
    sheet.append(row);
  }
  sheet.popover = 'manual';
  document.documentElement.append(sheet);
  try { sheet.showPopover(); } catch (refused) { /* an older Chromium has no top layer for us: z-index has to do */ }
  setTimeout(() => sheet.remove(), ms);
  return true;
})"""


class ChromiumHand:
    """Of one browser."""

    def __init__(self, settings: ChromiumSettings) -> None:
        self.name = settings.player
        self._folder = Path(settings.user_data_dir)

    def identify(self, lines: list[str]) -> None:
        """As Hand.identify, on the page that is visible."""
        with self._browser() as browser:
            session = browser.page()
            frame = browser.call("Page.getFrameTree", session)["frameTree"]["frame"]["id"]
            world = browser.call("Page.createIsolatedWorld", session, frameId=frame, worldName="ttdn")
            browser.evaluate(f"{_SHOW}({json.dumps(lines)}, {IDENTIFY_S * 1000})", session, world["executionContextId"])

    def snapshot(self) -> Picture:
        """As Hand.snapshot."""
        import base64

        with self._browser() as browser:
            session = browser.page()
            view = browser.call("Page.getLayoutMetrics", session)["cssVisualViewport"]
            for width, quality in _SIZES:
                clip = {
                    "x": view["pageX"],
                    "y": view["pageY"],
                    "width": view["clientWidth"],
                    "height": view["clientHeight"],
                    "scale": min(1.0, width / max(view["clientWidth"], 1)),
                }
                shot = browser.call("Page.captureScreenshot", session, format="jpeg", quality=quality, clip=clip)
                body = base64.b64decode(shot["data"])
                if 0 < len(body) <= MAX_PICTURE_BYTES:
                    return Picture("image/jpeg", body)
        raise HandError(f"{self.name}: no picture of at most {MAX_PICTURE_BYTES} bytes could be made of the page")

    def restart(self) -> None:
        """As Hand.restart."""
        with self._browser() as browser:
            browser.call("Browser.close")

    @contextmanager
    def _browser(self) -> Iterator[_Browser]:
        try:
            devtools = DevTools(read_address(self._folder), timeout_s=_ANSWER_S)
        except (LostError, ProbeError) as error:
            raise HandError(f"{self.name}: {error}") from error
        try:
            yield _Browser(devtools)
        except (LostError, ProbeError) as error:
            raise HandError(f"{self.name}: {error}") from error
        except (KeyError, TypeError, ValueError, msgspec.MsgspecError) as error:
            raise HandError(
                f"{self.name}: Chromium answers otherwise than expected ({error!r}); is it too old?"
            ) from error
        finally:
            devtools.close()


class _Browser:
    """One conversation. Raises LostError, ProbeError, HandError."""

    def __init__(self, devtools: DevTools) -> None:
        self._devtools = devtools

    def call(self, method: str, session: str | None = None, **params: Any) -> dict[str, Any]:
        """One request and its result."""
        request = self._devtools.send(method, params, session)
        end_s = time.monotonic() + _ANSWER_S
        while (message := self._devtools.receive(end_s - time.monotonic())) is not None:
            if message.id == request:
                if message.error is not None:
                    raise HandError(f"Chromium refuses {method}: {message.error.message}")
                result: dict[str, Any] = msgspec.json.decode(message.result)
                return result
        raise HandError(f"Chromium has not answered {method} within {_ANSWER_S:.0f} s; it or its page hangs")

    def page(self) -> str:
        """A session with the page that a visitor sees: the latest that says it is visible, else the latest at all."""
        targets = self.call("Target.getTargets")["targetInfos"]
        pages = [target["targetId"] for target in targets if target["type"] == "page" and not target.get("subtype")]
        sessions = [self.call("Target.attachToTarget", targetId=page, flatten=True)["sessionId"] for page in pages]
        if not sessions:
            raise HandError("the browser runs and has no page open")
        for session in reversed(sessions):
            if len(sessions) == 1 or self._is_visible(session):
                return str(session)
        return str(sessions[-1])

    def evaluate(self, expression: str, session: str, world: int) -> None:
        """Run something in an isolated world."""
        done = self.call("Runtime.evaluate", session, expression=expression, contextId=world, returnByValue=True)
        if "exceptionDetails" in done:
            raise HandError(f"the page did not take it: {done['exceptionDetails'].get('text', '')}")

    def _is_visible(self, session: str) -> bool:
        try:
            asked = self.call(
                "Runtime.evaluate", session, expression="document.visibilityState", returnByValue=True, timeout=1_000
            )
        except HandError:  # a page that hangs is not the one to show something on
            return False
        return bool(asked["result"].get("value") == "visible")
