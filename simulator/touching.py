"""Somebody who touches a real kiosk now and then: real touches in a real browser, through its DevTools."""

from __future__ import annotations

import itertools
import json
import logging
import threading
import time
from pathlib import Path
from typing import Any, Final

import msgspec

from edge_agent.probes.base import ProbeError
from edge_agent.probes.connection import LostError
from edge_agent.probes.devtools import BrowserGoneError, DevTools, read_address

_VISITS: Final = (
    ("#attract", "[data-language=zh]", "[data-open=van-hoa]", "[data-qr]", "#qr .pill", "#home", "#finish"),
    (
        "#attract",
        "[data-language=en]",
        "[data-open=thu-tuc]",
        "#home",
        "[data-open=gop-y]",
        "[data-rate='5']",
        "#finish",
    ),
    ("#attract", "[data-open=gio-lam-viec]", "#home", "[data-open=hoa-binh]", "#finish"),
)
_FIRST_S, _BETWEEN_S, _READING_S = 4.0, 12.0, 1.5
_REPLY_S: Final = 5.0
_CENTRE: Final = (
    "(e => { if (!e || !e.checkVisibility()) return null; const r = e.getBoundingClientRect();"
    " return [r.x + r.width / 2, r.y + r.height / 2]; })(document.querySelector(%s))"
)
log = logging.getLogger(__name__)


class Touching(threading.Thread):
    """Touches the browser of `profile` until stopped, or until that is gone."""

    def __init__(self, profile: Path) -> None:
        super().__init__(name="touching", daemon=True)
        self._profile = profile
        self._stopping = threading.Event()

    def run(self) -> None:
        """Visit after visit."""
        try:
            devtools = DevTools(read_address(self._profile), timeout_s=_REPLY_S)
            try:
                self._visit_for_ever(_Finger(devtools))
            finally:
                devtools.close()
        except (LostError, ProbeError, TimeoutError) as error:
            if not self._stopping.is_set():
                log.warning("nobody touches the kiosk any more: %s", error)

    def stop(self) -> None:
        """No more visitors."""
        self._stopping.set()

    def _visit_for_ever(self, finger: _Finger) -> None:
        pause_s = _FIRST_S
        for visit in itertools.cycle(_VISITS):
            if self._stopping.wait(pause_s):
                return
            pause_s = _BETWEEN_S
            for selector in visit:
                finger.touch(selector)
                if self._stopping.wait(_READING_S):
                    return


class _Finger:
    """Touches what is visible."""

    def __init__(self, devtools: DevTools) -> None:
        self._devtools = devtools
        targets = self._call("Target.getTargets")["targetInfos"]
        pages = [target["targetId"] for target in targets if target["type"] == "page"]
        if not pages:
            raise BrowserGoneError("the browser has no page")
        self._session: str = self._call("Target.attachToTarget", targetId=pages[0], flatten=True)["sessionId"]

    def touch(self, selector: str) -> None:
        """Touch the middle of an element; nothing where it cannot be seen."""
        expression = _CENTRE % json.dumps(selector)
        result = self._call("Runtime.evaluate", expression=expression, returnByValue=True)["result"]
        if result.get("value") is None:
            return
        x, y = result["value"]
        self._call("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": x, "y": y}])
        self._call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    def _call(self, method: str, **params: Any) -> dict[str, Any]:
        session = None if method.startswith("Target.") else self._session
        request = self._devtools.send(method, params, session)
        deadline = time.monotonic() + _REPLY_S
        while (message := self._devtools.receive(deadline - time.monotonic())) is not None:
            if message.id == request:
                return msgspec.json.decode(message.result, type=dict[str, Any])
        raise TimeoutError(f"no reply to {method}")
