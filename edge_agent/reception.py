"""What a page said, made durable: messages in, drafts of events and observations out.

Thread-safe. A request's messages are taken all or none: the states of session and player advance only after the drafts
were accepted, so a page that is told to retry finds everything as it was. A message whose answer was lost and that
comes again is known by its random id and taken once.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from edge_agent import sessions, web_player
from edge_agent.bridge_rules import BridgeSettings, NotAccepted
from edge_agent.draft import Draft
from edge_agent.observation import Showing
from edge_agent.page_messages import Display, Message

_REMEMBERED: Final = 256
_log = logging.getLogger(__name__)


class Reception:
    """The one place where the kiosk's session is kept.

    `accept` returns once the drafts are durable, or raises NotAccepted; `show` takes an observation and does not fail.
    """

    def __init__(
        self,
        settings: BridgeSettings,
        *,
        accept: Callable[[list[Draft]], None],
        show: Callable[[Showing], None],
        now_ms: Callable[[], int],
        new_id: Callable[[], int] = sessions.random_session_id,
    ) -> None:
        self._accept, self._show, self._now_ms, self._new_id = accept, show, now_ms, new_id
        self._rules = sessions.SessionRules(idle_ms=settings.idle_s * 1000, media_idle_ms=settings.media_idle_s * 1000)
        self._screen, self._silence_ms = settings.screen, settings.display_silence_s * 1000
        self._lock = threading.Lock()
        self._session: sessions.Session | None = None
        self._look: web_player.Look | None = None
        self._seen: deque[int] = deque(maxlen=_REMEMBERED)

    @property
    def is_visited(self) -> bool:
        """Whether a visitor's session is open."""
        return self._session is not None

    def take(self, messages: Sequence[Message]) -> int:
        """Make durable what the messages mean, and say how many were new. Raises NotAccepted: nothing was taken."""
        with self._lock:
            now_ms = self._now_ms()
            new = self._unseen(messages)
            self._keep(*self._visit(new, now_ms))
            self._seen.extend(message.id for message in new if message.id is not None)
            for message in new:
                if isinstance(message, Display):
                    self._display(message, now_ms - message.age_ms)
            return len(new)

    def tick(self) -> None:
        """End what nobody ended: a session by idle time, a display by silence. To be called about once a second.

        Returns at once while messages are being taken. What cannot be accepted now is tried again at the next tick.
        """
        if not self._lock.acquire(blocking=False):
            return
        try:
            now_ms = self._now_ms()
            self._fall_silent(now_ms, self._silence_ms)
            self._keep(*sessions.after_silence(self._session, now_ms, self._rules))
        except NotAccepted as error:
            _log.warning("The end of a visitor's session waits: %s", error)
        finally:
            self._lock.release()

    def close(self) -> None:
        """End the session and the display: no session continues in another process."""
        with self._lock:
            now_ms = self._now_ms()
            self._fall_silent(now_ms, 0)
            try:
                self._keep(*sessions.after_stop(self._session, now_ms))
            except NotAccepted as error:
                _log.warning("A visitor's session stays without its end: %s", error)
                self._session = None

    def _unseen(self, messages: Sequence[Message]) -> list[Message]:
        seen = set(self._seen)
        new = []
        for message in messages:
            if message.id is None or message.id not in seen:
                new.append(message)
                seen.add(message.id or 0)
        return new

    def _visit(self, messages: Sequence[Message], now_ms: int) -> sessions.Step:
        session, drafts = self._session, []
        for message in messages:
            if not isinstance(message, Display):
                step = sessions.after_message(session, message, now_ms - message.age_ms, self._rules, self._new_id)
                session = step.session
                drafts += step.drafts
        return sessions.Step(session, drafts)

    def _keep(self, session: sessions.Session | None, drafts: list[Draft]) -> None:
        if drafts:
            self._accept(drafts)
        self._session = session

    def _display(self, display: Display, at_ms: int) -> None:
        if self._look is None or at_ms >= self._look.at_ms:
            self._look = web_player.after_display(self._look, display, at_ms)
            self._show(web_player.showing_of(self._look, self._screen))

    def _fall_silent(self, now_ms: int, limit_ms: int) -> None:
        nothing = web_player.after_silence(self._look, now_ms, limit_ms)
        if nothing is not None:
            self._look = nothing
            self._show(web_player.showing_of(nothing, self._screen))
