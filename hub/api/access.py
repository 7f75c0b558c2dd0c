"""Who asks: the principal of a request, by token, by session, or because the hub is open on its own machine.

An endpoint says what it needs by the type of one parameter (`Reading`), and gets the principal: what may be seen is
then a matter of `Principal.provinces`, which the store's queries take.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Final

from fastapi import HTTPException, Request, Security
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes

from hub.api.limits import Limits
from hub.api.origin import OWN_HEADER, address, is_local, sender
from hub.config import ApiSettings
from hub.people.principal import LOCAL, Principal
from hub.people.roles import PERSONAL, Scope
from hub.people.sessions import Lifetime, session_sha256
from hub.people.throttle import network_of
from hub.people.tokens import Refusal, presented, refusal
from hub.store import people
from hub.store.people import PeoplePool

COOKIE: Final = "ttdn_session"
_SAFE: Final = {"GET", "HEAD", "OPTIONS"}
_CHALLENGE: Final = 'Bearer realm="ttdn-hub"'
_HOW: Final = "log in at /login or with POST /api/v1/login, or send a token as Authorization: Bearer ttdn_..."
_REFUSALS: Final[dict[Refusal, str]] = {
    "unknown": "there is no such token",
    "expired": "this token has expired; ask for another: ttdn-hub token create",
    "revoked": "this token was revoked; ask for another: ttdn-hub token create",
}


class NotKnown(HTTPException):
    """Say who you are: status 401."""

    def __init__(self, detail: str, challenge: str = _CHALLENGE) -> None:
        super().__init__(401, detail, headers={"WWW-Authenticate": challenge})


class Access:
    """Tells who asks. Sessions and tokens are looked up at every request, so that whatever changes holds at once."""

    def __init__(self, settings: ApiSettings, pool: PeoplePool, limits: Limits, clock: Callable[[], datetime]) -> None:
        self.lifetime = Lifetime(timedelta(seconds=settings.session_max_s), timedelta(seconds=settings.session_idle_s))
        self._open = settings.open_on_loopback
        self._pool, self._limits, self._clock = pool, limits, clock

    def demand(self, request: Request, *scopes: Scope) -> Principal:
        """Who asks, with all these scopes. NotKnown (401), HTTPException 403, TooMany (429)."""
        found = self._identify(request)
        if found is not LOCAL:
            self._limits.count_principal(found.key)
        for scope in scopes:
            if scope in PERSONAL and found.kind != "person":
                raise HTTPException(403, f"this is done by a named person, and {found.key} is none: log in with a name")
            if not found.has(scope):
                has = ", ".join(sorted(found.scopes)) or "none"
                raise HTTPException(403, f"this needs the scope {scope!r}; {found.key} has: {has}")
        return found

    def count_address(self, request: Request) -> None:
        """One more request, whoever asks. TooMany (429)."""
        self._limits.count_address(network_of(address(request)))

    def _identify(self, request: Request) -> Principal:
        scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self._by_token(credentials.strip())
        cookie = request.cookies.get(COOKIE)
        found = self._by_session(cookie) if cookie else None
        if found is None and self._open and is_local(request):
            found = LOCAL
        if found is None:
            raise NotKnown(f"your session is over: {_HOW}" if cookie else f"who are you? {_HOW}")
        if request.method not in _SAFE and sender(request) != "own":
            raise HTTPException(
                403, f"refused: not sent by a page of this hub; a program sends the header {OWN_HEADER}"
            )
        return found

    def _by_token(self, text: str) -> Principal:
        shown, now = presented(text), self._clock()
        why: Refusal | None = "unknown"
        if shown is not None:
            with self._pool.connection() as connection:
                known = people.find_token(connection, shown.key)
                why = refusal(shown, known, now)
                if known is not None and why is None:
                    people.note_token(connection, known, now)
                    return known.principal()
        raise NotKnown(_REFUSALS[why or "unknown"], f'{_CHALLENGE}, error="invalid_token"')

    def _by_session(self, cookie: str) -> Principal | None:
        sha256 = session_sha256(cookie)
        if sha256 is None:
            return None
        with self._pool.connection() as connection:
            found = people.find_session(connection, sha256, self.lifetime, self._clock())
        return found.principal(self.lifetime) if found is not None else None


def access_of(request: Request) -> Access:
    """The application's."""
    access: Access = request.app.state.access
    return access


async def within_limits(request: Request) -> None:
    """A dependency of every endpoint: so many requests an address and minute."""
    access_of(request).count_address(request)


_BEARER: Final = HTTPBearer(auto_error=False, scheme_name="token", description="`ttdn-hub token create` makes one.")
_SESSION: Final = APIKeyCookie(name=COOKIE, auto_error=False, scheme_name="session", description="POST /api/v1/login.")


def principal(
    request: Request,
    scopes: SecurityScopes,
    _token: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)],
    _cookie: Annotated[str | None, Security(_SESSION)],
) -> Principal:
    """A dependency: who asks. The last two parameters are for the API's document; `Access` reads them itself."""
    return access_of(request).demand(request, *scopes.scopes)  # type: ignore[arg-type]  # those of the types below


def exact_principal(who: Annotated[Principal, Security(principal, scopes=["read"])]) -> Principal:
    """A dependency: who asks for what would count acts of visitors, which stay in the province. HTTPException 403."""
    if not who.is_exact:
        needed = "numbers of events count acts of visitors: this needs the scope 'visitors' or 'respond'"
        raise HTTPException(403, f"{needed}; {who.key} has: {', '.join(sorted(who.scopes))}")
    return who


Anybody = Annotated[Principal, Security(principal)]
Reading = Annotated[Principal, Security(principal, scopes=["read"])]
Exact = Annotated[Principal, Security(exact_principal)]
Responding = Annotated[Principal, Security(principal, scopes=["respond"])]
Operating = Annotated[Principal, Security(principal, scopes=["operate"])]
Visitors = Annotated[Principal, Security(principal, scopes=["visitors"])]
Published = Annotated[Principal, Security(principal, scopes=["published"])]
Counting = Annotated[Principal, Security(principal, scopes=["metrics"])]
