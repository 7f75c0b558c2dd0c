"""Why an enrolment or renewal did not come to its end, and whether waiting helps."""

from __future__ import annotations

from typing import Final

from edge_agent.errors import AgentFailed
from edge_agent.identity.texts import TROUBLES, Language, code_hint

_PASSES: Final = frozenset({"no_dns", "no_route", "closed", "timeout", "broken", "too_many", "not_hub", "hub_down"})
_USE: Final = frozenset({"bad_url", "bad_code", "no_code", "enrolled_otherwise"})
MAX_DETAIL: Final = 200


class StepFailed(AgentFailed):
    """The step did not come to its end. `code` is one of texts.TROUBLES; what was begun can be gone on with."""

    def __init__(self, code: str, detail: str = "", *, host: str = "", port: int = 0, retry_after_s: int = 0) -> None:
        self.code, self.retry_after_s = code, retry_after_s
        self._fields = {"detail": _printable(detail), "host": host, "port": port}
        super().__init__(self.text("en"))

    @property
    def passes(self) -> bool:
        """Whether the same may work after a while, with nobody's help."""
        return self.code in _PASSES

    @property
    def misuse(self) -> bool:
        """What was typed cannot be used; nothing was sent."""
        return self.code in _USE

    def text(self, language: Language) -> str:
        """What happened and what to do."""
        fields = self._fields
        if self.code == "bad_code":
            fields = {**fields, "detail": code_hint(str(fields["detail"]), language)}
        return TROUBLES[self.code].said(language, **fields).strip()


def _printable(detail: str) -> str:
    """A stranger's text, fit for a terminal and a file."""
    return "".join(letter if letter.isprintable() else " " for letter in detail)[:MAX_DETAIL]
