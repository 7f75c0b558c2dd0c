"""What a browser's DevTools messages say of its pages, and which page is on screen. Sans I/O.

Against the lies of the protocol: a failed load is known by the page's own address (`chrome-error:`) or by its HTTP
status, since the target's URL is the wanted one; a dead renderer by `targetCrashed`, since its old title stays; a hung
page by an evaluation that is not answered; a covered or minimised page by its `visibilityState`. That a page is drawn
is known by `requestAnimationFrame`: the callback comes from the compositor, so a page at rest makes one more frame for
it, and one whose drawing has stopped does not call back.
"""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from edge_agent.probes.base import ProbeError
from edge_agent.probes.devtools import Message, TargetInfo

MAX_PAGES: Final = 16
"""So many pages of a browser are looked at; a kiosk has one or two."""

MAX_TRIES: Final = 5
"""So often a page is asked in one look if each document that was asked gives way to the next."""

_ERROR_PAGE: Final = "chrome-error:"
_BLANK: Final = ("", "about:blank", "about:srcdoc")
_FRAME_WAIT_MS: Final = 800

# One tiny evaluation: [address, visibility, readiness, birth of the document, HTTP status, whether a frame was drawn].
LOOK: Final = f"""(() => {{
  const entry = performance.getEntriesByType('navigation')[0];
  const seen = drawn => [location.href.slice(0, 4096), document.visibilityState, document.readyState,
                         performance.timeOrigin, entry && entry.responseStatus || 0, drawn];
  if (document.visibilityState !== 'visible') return seen(false);
  return new Promise(done => {{
    const late = setTimeout(() => done(seen(false)), {_FRAME_WAIT_MS});
    requestAnimationFrame(() => {{ clearTimeout(late); done(seen(true)); }});
  }});
}})()"""
LOOK_PARAMS: Final[dict[str, Any]] = {"expression": LOOK, "returnByValue": True, "awaitPromise": True}

State = Literal["crashed", "hung", "failed", "blank", "hidden", "undrawn", "drawn", "unknown"]


class PageLook(Struct, frozen=True, array_like=True):
    """What a page says of itself."""

    url: str
    visibility: str
    readiness: str
    born_ms: float
    """Unix ms at which this document began; tells a reloaded page from the one before."""
    http_status: int
    """0 where there is none: files, pages served from a cache, failed loads."""
    drawn: bool
    """A frame was drawn for this look."""


class _Value(Struct, frozen=True):
    value: PageLook | None = None


class _Evaluated(Struct, frozen=True):
    result: _Value = _Value()


_EVALUATED: Final = msgspec.json.Decoder(_Evaluated)


class Page:
    """One tab or window. `look` is the last answer of what it shows; it says something about now if `answered`."""

    def __init__(self, target_id: str) -> None:
        self.target_id = target_id
        self.wanted_url = ""
        self.session: str | None = None
        self.asked: int | None = None
        """Request that the page has not answered yet."""
        self.answered = False
        self.tries = 0
        self.hung = False
        self.crashed = False
        self.look: PageLook | None = None

    @property
    def url(self) -> str:
        """The address that is shown; the wanted one while the page has not said."""
        return self.look.url if self.look and not self.look.url.startswith(_ERROR_PAGE) else self.wanted_url

    @property
    def on_top(self) -> bool:
        """Whether it was visible when it was last seen; taken as visible before that."""
        return self.look is None or self.look.visibility == "visible"

    @property
    def state(self) -> State:
        """What is the matter with it, the worst first."""
        if self.crashed:
            return "crashed"
        if self.hung:
            return "hung"
        return _looked(self.look) if self.look and self.answered else "unknown"

    @property
    def wants_asking(self) -> bool:
        """Whether this look has no answer of it yet and none is under way."""
        return not self.crashed and self.asked is None and not self.answered and self.tries < MAX_TRIES

    def begin_look(self) -> None:
        """Its answers so far are of an earlier look."""
        self.answered, self.tries = False, 0

    def end_look(self) -> None:
        """No more answers are waited for."""
        self.hung = self.asked is not None

    def answer(self, message: Message) -> None:
        """Its reply has come. An old one of a page that hung says only that it answers again."""
        self.asked = None
        was_hung, self.hung = self.hung, False
        if was_hung or message.error is not None:
            # "Inspected target navigated": the document that was asked is no more; the next one is asked anew.
            return
        try:
            self.look = _EVALUATED.decode(message.result).result.value
        except msgspec.MsgspecError as error:
            msg = f"a page in Chromium answered what it was not asked ({error}); is this Chromium older than 109?"
            raise ProbeError(msg) from error
        self.answered = True


def _looked(look: PageLook) -> State:
    if look.url.startswith(_ERROR_PAGE) or look.http_status >= 400:
        return "failed"
    if look.url in _BLANK:
        return "blank"
    if look.visibility != "visible":
        return "hidden"
    return "drawn" if look.drawn else "undrawn"


class Pages:
    """All pages of one browser, kept from its messages."""

    def __init__(self) -> None:
        self._pages: dict[str, Page] = {}
        self._new_sessions: list[str] = []

    def all(self) -> list[Page]:
        """The pages that can be asked or are known to be dead, oldest first."""
        return [page for page in self._pages.values() if page.session or page.crashed][:MAX_PAGES]

    def new_sessions(self) -> list[str]:
        """Sessions attached since the last call; `Inspector.enable` makes an already dead renderer known."""
        sessions, self._new_sessions = self._new_sessions, []
        return sessions

    def apply(self, message: Message) -> bool:
        """Take one message; whether it tells of something worth a look."""
        match message.method:
            case None:
                return self._reply(message)
            case "Target.targetCreated" | "Target.targetInfoChanged":
                return self._describe(message.params.target_info)
            case "Target.attachedToTarget":
                return self._attach(message.params.target_info, message.params.session_id)
            case "Target.targetDestroyed":
                return self._pages.pop(message.params.target_id or "", None) is not None
            case "Target.detachedFromTarget":
                return self._detach(message.params.session_id)
            case "Target.targetCrashed":
                return self._crash(self._pages.get(message.params.target_id or ""))
            case "Inspector.targetCrashed":
                return self._crash(self._by_session(message.session_id))
            case "Inspector.targetReloadedAfterCrash":
                return self._revive(self._by_session(message.session_id))
        return False

    def _reply(self, message: Message) -> bool:
        for page in self._pages.values():
            if page.asked is not None and page.asked == message.id:
                was_hung = page.hung
                page.answer(message)
                return was_hung
        return False

    def _describe(self, info: TargetInfo | None) -> bool:
        if info is None or info.type != "page" or info.subtype is not None:
            return False
        page = self._pages.setdefault(info.target_id, Page(info.target_id))
        if page.wanted_url == info.url:
            return False
        page.wanted_url, page.look = info.url, None
        return True

    def _attach(self, info: TargetInfo | None, session: str | None) -> bool:
        self._describe(info)
        if info is None or session is None or info.target_id not in self._pages:
            return False
        self._pages[info.target_id].session = session
        self._new_sessions.append(session)
        return True

    def _detach(self, session: str | None) -> bool:
        page = self._by_session(session)
        if page is None:
            return False
        page.session = page.asked = None
        return True

    def _crash(self, page: Page | None) -> bool:
        if page is None or page.crashed:
            return False
        page.crashed, page.hung, page.asked = True, False, None
        return True

    def _revive(self, page: Page | None) -> bool:
        if page is None:
            return False
        page.crashed = False
        return True

    def _by_session(self, session: str | None) -> Page | None:
        return next((page for page in self._pages.values() if session and page.session == session), None)


def on_screen(pages: list[Page], shown_before: str | None) -> Page | None:
    """The page that a visitor sees, or would see if it were not covered by a blank one.

    Of several it is the one that was on screen before (its `target_id` in `shown_before`), else the youngest. A page
    that answers that it is visible outweighs a dead or hung one that was visible when it last answered.
    """
    best: Page | None = None
    for page in pages:
        rank = (_rank(page), page.target_id == shown_before)
        if best is None or rank >= (_rank(best), best.target_id == shown_before):
            best = page
    return best


def _rank(page: Page) -> int:
    if page.state in ("crashed", "hung", "unknown"):
        return 2 if page.on_top else 1
    if page.state == "blank":
        return 0
    return 3 if page.on_top else 1
