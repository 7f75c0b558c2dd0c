"""Looks at a Chromium that shows web pages: which page is on top, whether it loaded, lives, is visible and is drawn.

One DevTools connection stays open for as long as the browser lives. The browser tells of navigations, crashes and tabs
by itself, which ends `wait` early; everything else is seen at the next look, one tiny evaluation per page. Nothing in
the page is changed. One browser (one profile) serves one screen: of two windows that are both visible one is reported.
What covers the browser's window on the desktop, and what covers the screen, is not known here.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final, NamedTuple

from msgspec import Meta, Struct

from contract.content_ref import url_ref
from contract.events import PlayStatus
from contract.ids import Name
from edge_agent.clock import boottime_ms
from edge_agent.observation import Content, Reading, Showing, Trouble
from edge_agent.probes.connection import ConnectedProbe, LostError
from edge_agent.probes.devtools import BrowserFrozenError, DevTools, Message, read_address
from edge_agent.probes.pages import LOOK_PARAMS, Page, PageLook, Pages, on_screen
from edge_agent.probes.turns import Turns

_STILL_FROZEN_S: Final = 0.05
_PAGES_ONLY: Final = [{"type": "page"}, {"exclude": True}]


class ChromiumSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """A Chromium started with `--remote-debugging-port=0 --user-data-dir=<user_data_dir>`."""

    user_data_dir: Annotated[
        str, Meta(min_length=1, description="The browser's profile folder; DevToolsActivePort lies in it.")
    ] = "/run/ttdn-screen/chromium"
    screen: Annotated[Name, Meta(description="The screen that the browser's window is on.")] = "main"
    player: Annotated[Name, Meta(description="This browser's name in plays and faults.")] = "chromium"
    interval_s: Annotated[float, Meta(ge=0.2, le=60, description="Seconds between two looks.")] = 1.0
    timeout_s: Annotated[
        float, Meta(ge=1, le=30, description="Seconds after which a page counts as hung, or the browser as frozen.")
    ] = 2.0
    keep_query: Annotated[
        tuple[str, ...],
        Meta(description="Keys of a URL's query that tell contents apart; all others are dropped."),
    ] = ()


class ChromiumProbe(ConnectedProbe[DevTools]):
    """Reads one browser. A read takes at most four times `timeout_s`; 5 ms where all is well."""

    def __init__(self, settings: ChromiumSettings, *, now_ms: Callable[[], int] = boottime_ms) -> None:
        super().__init__(settings.player, settings.interval_s, now_ms)
        self._settings = settings
        self._pages = Pages()
        self._ping: int | None = None
        self._view = BrowserView(settings)

    def _connect(self) -> DevTools:
        return DevTools(read_address(Path(self._settings.user_data_dir)), timeout_s=self._settings.timeout_s)

    def _begin(self, devtools: DevTools) -> None:
        self._pages, self._ping = Pages(), None
        devtools.send("Target.setDiscoverTargets", {"discover": True, "filter": _PAGES_ONLY})
        attach = {"autoAttach": True, "waitForDebuggerOnStart": False, "flatten": True, "filter": _PAGES_ONLY}
        # The browser tells of the pages there are before it answers this.
        self._ping = devtools.send("Target.setAutoAttach", attach)
        self._await_ping(devtools, self._settings.timeout_s)

    def _look(self, devtools: DevTools, at_ms: int) -> list[Reading]:
        self._ask_all(devtools)
        return self._view.of_pages(at_ms, self._pages.all())

    def _without(self, lost: LostError, at_ms: int) -> list[Reading]:
        return self._view.without_browser(at_ms, lost)

    def _hear(self, devtools: DevTools, timeout_s: float) -> bool:
        message = devtools.receive(timeout_s)
        return message is not None and self._take(message)

    def _take(self, message: Message) -> bool:
        if message.id is not None and message.id == self._ping:
            self._ping = None
        return self._pages.apply(message)

    def _ask_all(self, devtools: DevTools) -> None:
        """Ask every page; then, if none answered, whether the browser itself does. Raises LostError."""
        while (message := devtools.receive(0)) is not None:
            self._take(message)
        for page in self._pages.all():
            page.begin_look()
        self._await_pages(devtools)
        if not any(page.answered for page in self._pages.all()):
            self._ping_browser(devtools)
            # What came back meanwhile, or gave way to a new document, is asked once more.
            self._await_pages(devtools)

    def _await_pages(self, devtools: DevTools) -> None:
        end_s = time.monotonic() + self._settings.timeout_s
        while self._asking(devtools) and (left_s := end_s - time.monotonic()) > 0:
            if (message := devtools.receive(left_s)) is not None:
                self._take(message)
        for page in self._pages.all():
            page.end_look()

    def _asking(self, devtools: DevTools) -> bool:
        """Ask what is not asked yet; whether an answer is worth waiting for: not that of a page known to hang."""
        for session in self._pages.new_sessions():
            devtools.send("Inspector.enable", session=session)
        pages = self._pages.all()
        for page in pages:
            if page.wants_asking:
                page.tries += 1
                page.asked = devtools.send("Runtime.evaluate", LOOK_PARAMS, page.session)
        return any(page.asked is not None and not page.hung for page in pages)

    def _ping_browser(self, devtools: DevTools) -> None:
        if self._ping is not None:
            self._await_ping(devtools, _STILL_FROZEN_S)
            return
        self._ping = devtools.send("Browser.getVersion")
        self._await_ping(devtools, self._settings.timeout_s)

    def _await_ping(self, devtools: DevTools, timeout_s: float) -> None:
        end_s = time.monotonic() + timeout_s
        while self._ping is not None:
            left_s = end_s - time.monotonic()
            message = devtools.receive(left_s) if left_s > 0 else None
            if message is None:
                raise BrowserFrozenError(f"the browser has not answered for {timeout_s} s")
            self._take(message)


class _Document(NamedTuple):
    """What was on screen at one look. A page that hangs has not said when its document began."""

    target_id: str
    ref: str
    born_ms: float | None

    def may_be(self, other: _Document) -> bool:
        """Whether nothing tells the two apart."""
        unborn = self.born_ms is None or other.born_ms is None
        return self[:2] == other[:2] and (unborn or self.born_ms == other.born_ms)


class BrowserView:
    """From pages to readings, with a memory for what was on screen before. Pure."""

    def __init__(self, settings: ChromiumSettings) -> None:
        self._settings = settings
        self._turns = Turns()
        self._document, self._documents = _Document("", "", None), 0
        self._page_id: str | None = None
        self._content: Content | None = None
        self._ailing = False
        """The page hung or the browser was frozen at the look before: what ends now ends by that."""

    def without_browser(self, at_ms: int, lost: LostError) -> list[Reading]:
        """A frozen browser leaves its last picture on screen, a browser that is gone leaves none."""
        trouble = Trouble(code=lost.code, reason=_reason(str(lost)))
        if isinstance(lost, BrowserFrozenError):
            self._ailing = True
            return [self._showing(at_ms, reported=None, rendering=False), trouble]
        self._nothing("hardware_failure")
        return [self._showing(at_ms, reported=None, rendering=None), trouble]

    def of_pages(self, at_ms: int, pages: list[Page]) -> list[Reading]:
        """What the page on screen shows."""
        page = on_screen(pages, self._page_id)
        if page is None:
            self._nothing("success")
            reason = "the browser runs and has no page open"
            return [self._showing(at_ms, reported=None, rendering=None), Trouble(code="page_missing", reason=reason)]
        self._page_id = page.target_id
        ref = url_ref(page.url, self._settings.keep_query)
        trouble = _trouble(page, ref)
        if page.state in ("crashed", "failed", "blank"):
            self._nothing(self._ending(page, ref))
            return [self._showing(at_ms, reported=None, rendering=None), *trouble]
        self._something(page, ref)
        return [self._showing(at_ms, reported=True, rendering=_rendering(page)), *trouble]

    def _ending(self, page: Page, ref: str) -> PlayStatus:
        """How the content before ended. What gave way to another address that failed has itself ended well."""
        if page.state == "crashed":
            return "hardware_failure"
        failed = page.state == "failed" and self._content is not None and self._content.ref == ref
        return "content_failure" if failed else "success"

    def _something(self, page: Page, ref: str) -> None:
        document = _Document(page.target_id, ref, page.look.born_ms if page.look else None)
        self._documents += not document.may_be(self._document)
        self._document = document
        self._turns.see(self._documents, self._ailed("success"))
        self._content = Content(ref)
        # A page that says nothing between hanging and giving way to another has not recovered.
        self._ailing = page.state == "hung" or (page.state == "unknown" and self._ailing)

    def _nothing(self, ending: PlayStatus) -> None:
        self._turns.see(None, self._ailed(ending))
        self._content = None
        self._ailing = False

    def _ailed(self, ending: PlayStatus) -> PlayStatus:
        return "hardware_failure" if self._ailing else ending

    def _showing(self, at_ms: int, *, reported: bool | None, rendering: bool | None) -> Showing:
        return Showing(
            at_ms=at_ms,
            screen=self._settings.screen,
            player=self._settings.player,
            content=self._content,
            turn=self._turns.number,
            reported=reported if self._content else None,
            rendering=rendering if self._content else None,
            ended=self._turns.ended,
        )


def _rendering(page: Page) -> bool | None:
    return None if page.state == "unknown" else page.state == "drawn"


def _trouble(page: Page, ref: str) -> list[Trouble]:
    match page.state:
        case "crashed":
            return [Trouble(code="page_crashed", reason=_reason(f"the renderer of {ref} died"))]
        case "hung":
            reason = f"{ref} does not answer: its script runs without end, or it waits in a dialog box"
            return [Trouble(code="page_hung", reason=_reason(reason))]
        case "failed":
            return [Trouble(code="page_load_failed", reason=_reason(_failure(page.look, ref)))]
        case "hidden":
            return [Trouble(code="page_hidden", reason=_reason(f"{ref} is minimised or covered by an empty tab"))]
        case "undrawn" if page.look and page.look.readiness == "complete":
            reason = f"{ref} answers and is visible, but no frame of it is drawn"
            return [Trouble(code="page_not_drawn", reason=_reason(reason))]
    return []


def _failure(look: PageLook | None, ref: str) -> str:
    if look and look.http_status >= 400:
        return f"HTTP status {look.http_status} instead of {ref}"
    return f"could not load {ref}; the browser shows its own error page"


def _reason(text: str) -> str:
    return text[:512]
