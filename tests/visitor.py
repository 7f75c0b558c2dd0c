"""A visitor at a real browser."""

from __future__ import annotations

import json
from typing import Any, Final

from tests.chromium import Hand
from tests.patience import until

_CENTRE: Final = "(({{x, y, width, height}}) => [x + width / 2, y + height / 2])({found}.getBoundingClientRect())"


class Visitor:
    """A finger on the glass: touches only what is visible."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand
        self._page = hand._session(hand.first)

    def evaluate(self, expression: str) -> Any:
        """What JavaScript says of the page."""
        result = self._hand.call("Runtime.evaluate", self._page, expression=expression, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def goes_to(self, url: str) -> None:
        """Another page, by no touch."""
        self._hand.call("Page.navigate", self._page, url=url)

    def touches(self, selector: str) -> None:
        """The middle of an element, once it is visible."""
        found = f"document.querySelector({json.dumps(selector)})"
        until(lambda: self.evaluate(f"!!{found}?.checkVisibility()"), f"{selector} is visible")
        x, y = self.evaluate(_CENTRE.format(found=found))
        touch = "Input.dispatchTouchEvent"
        self._hand.call(touch, self._page, type="touchStart", touchPoints=[{"x": x, "y": y}])
        self._hand.call(touch, self._page, type="touchEnd", touchPoints=[])

    def clicks(self, x: int, y: int) -> None:
        """With a mouse."""
        for kind in ("mousePressed", "mouseReleased"):
            self._hand.call("Input.dispatchMouseEvent", self._page, type=kind, x=x, y=y, button="left", clickCount=1)
