"""What can be allowed, and which role is allowed what: the one place where a scope or a role is added.

A scope says what; *where* is said by the provinces of a person or token (`hub.people.principal`).
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, TypeGuard, get_args

Scope = Literal["read", "visitors", "published", "metrics", "manage", "respond", "operate"]
Role = Literal["technician", "staff", "administrator", "ministry"]


class ScopeMeaning(NamedTuple):
    """A scope, and what it lets through."""

    scope: Scope
    meaning: str


class RoleGrant(NamedTuple):
    """A role, and the scopes that it has."""

    role: Role
    scopes: tuple[Scope, ...]


SCOPES: Final = (
    ScopeMeaning("read", "sites, devices, what screens show and showed, streams, catalogue, plan, incidents"),
    ScopeMeaning("visitors", "exact figures of visitors, and names of people in incidents"),
    ScopeMeaning("published", "figures of visitors as they were published"),
    ScopeMeaning("metrics", "what the hub counts of itself, for Prometheus"),
    ScopeMeaning("manage", "importing the registry; people and tokens are managed by the command alone, for now"),
    ScopeMeaning("respond", "taking incidents in hand and closing them, by name"),
    ScopeMeaning("operate", "configuring devices, giving them commands, seeing the pictures that these bring"),
)
PERSONAL: Final[frozenset[Scope]] = frozenset({"respond"})
"""What only a named person does: no token has it."""
ROLES: Final = (
    # Exact figures of visitors stay in the province: the ministry has what was published.
    RoleGrant("technician", ("read", "metrics", "respond", "operate")),
    RoleGrant("staff", ("read", "visitors", "published", "respond")),
    RoleGrant("administrator", ("read", "visitors", "published", "metrics", "manage", "respond", "operate")),
    RoleGrant("ministry", ("read", "published")),
)


def scopes_of(role: str) -> frozenset[Scope]:
    """What a role is allowed; nothing for one that this hub does not know, such as one of a newer hub."""
    return frozenset(scope for grant in ROLES if grant.role == role for scope in grant.scopes)


def is_role(text: str) -> TypeGuard[Role]:
    """Whether a role is called so."""
    return text in get_args(Role)


def is_scope(text: str) -> TypeGuard[Scope]:
    """Whether a scope is called so."""
    return text in get_args(Scope)
