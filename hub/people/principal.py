"""Who asks, and what is theirs to see: the answer to every question of access."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from hub.people.roles import Role, Scope

Provinces = frozenset[str] | None
"""Codes of provinces; None: all of them, and what belongs to none."""


@dataclass(frozen=True)
class Principal:
    """A person with a session, a token, or anybody at a hub that is open on its own machine."""

    kind: Literal["person", "token", "local"]
    name: str
    """A person's name or a token's key; no secret."""
    scopes: frozenset[Scope]
    provinces: Provinces
    role: Role | None = None
    until: datetime | None = None
    """When token or session ends, as far as known now."""

    @property
    def key(self) -> str:
        """Who it is among all kinds, for limits and the audit log."""
        return f"{self.kind}:{self.name}"

    def has(self, scope: Scope) -> bool:
        """Whether this is allowed anywhere at all."""
        return scope in self.scopes

    @property
    def is_exact(self) -> bool:
        """Whether names of people in incidents are theirs to see, and details that would count acts of visitors.

        As `report.is_exact` of a reader: both stay in the province.
        """
        return bool(self.scopes & {"visitors", "respond"})

    def may(self, scope: Scope, province: str | None) -> bool:
        """Whether this is allowed there; None: in no province, where devices are that nobody has registered."""
        return scope in self.scopes and covers(self.provinces, province)


def covers(provinces: Provinces, province: str | None) -> bool:
    """Whether a place lies within."""
    return provinces is None or (province is not None and province in provinces)


LOCAL: Final = Principal("local", "loopback", frozenset({"read", "metrics"}), None)
"""Anybody on the hub's own machine, where `api.open_on_loopback` says so."""
