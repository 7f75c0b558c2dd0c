"""Login and logout: from a name and a password to a session, slowly for whoever guesses (`hub.people.throttle`)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from fastapi import HTTPException, Request, Response

from hub.api.access import COOKIE, NotKnown
from hub.api.limits import Limits, TooMany
from hub.api.origin import address, is_private, sender
from hub.people.names import login_name
from hub.people.passwords import Hashing, TooBusy
from hub.people.sessions import Lifetime, new_session, session_sha256
from hub.people.throttle import Throttle, network_of
from hub.store import people
from hub.store.people import PeoplePool, Person


class Insecure(HTTPException):
    """The password would travel in clear: status 403."""

    def __init__(self) -> None:
        super().__init__(403, "refused: passwords are taken over https only, or on the hub's own machine")


class Foreign(HTTPException):
    """Another site's page wants to log somebody in: status 403."""

    def __init__(self) -> None:
        super().__init__(403, "refused: sent by a page of another site")


class _Try(NamedTuple):
    """What is known of an attempt while its password is looked at."""

    name: str
    network: str
    now: datetime
    person: Person | None


class Entrance:
    """Lets people in and out. One a process: what it remembers of failures is in memory."""

    def __init__(
        self,
        pool: PeoplePool,
        lifetime: Lifetime,
        limits: Limits,
        clock: Callable[[], datetime],
        hashing: Hashing,
    ) -> None:
        self._pool, self._lifetime, self._limits, self._clock = pool, lifetime, limits, clock
        self._hashing = hashing
        self._throttle = Throttle()

    def enter(self, request: Request, response: Response, typed: str, password: str) -> str:
        """Check and set the cookie; the person's name.

        NotKnown (401) whatever is wrong with name and password, TooMany (429), Insecure, Foreign (403), or
        HTTPException 503 if too many log in at this moment.
        """
        if sender(request) == "foreign":
            raise Foreign
        if not is_private(request):
            raise Insecure
        network = network_of(address(request))
        self._limits.refuse_failing(network)
        try:
            with self._hashing.place():
                person, cookie = self._check(typed, password, network)
        except TooBusy:
            raise HTTPException(503, "too many people log in at this moment", headers={"Retry-After": "2"}) from None
        self._close(request)
        response.set_cookie(
            COOKIE, cookie, httponly=True, samesite="strict", secure=request.url.scheme == "https", path="/"
        )
        return person.name

    def leave(self, request: Request, response: Response) -> None:
        """End the session that the request shows, if it shows one, and take the cookie back."""
        self._close(request)
        response.delete_cookie(COOKIE, httponly=True, samesite="strict", secure=request.url.scheme == "https", path="/")

    def is_empty(self) -> bool:
        """Nobody can log in: there is no person yet."""
        with self._pool.connection() as connection:
            return not people.anybody(connection)

    def _check(self, typed: str, password: str, network: str) -> tuple[Person, str]:
        now, name = self._clock(), login_name(typed)
        with self._pool.connection() as connection:
            person = people.find_person(connection, name or "")
        attempt = _Try(name or "", network, now, person)
        self._refuse_impatient(attempt)
        right = self._hashing.verify(person.password if person is not None else None, password)
        cookie = self._open(attempt) if right else None
        if person is None or cookie is None:
            self._note_failure(attempt)
            raise NotKnown("name or password is wrong")
        self._throttle.passed(attempt.name, network, attempt.now)
        self._keep_better(person, password)
        return person, cookie

    def _refuse_impatient(self, attempt: _Try) -> None:
        failures = attempt.person.failures if attempt.person is not None else None
        unlocked_at = attempt.person.unlocked_at if attempt.person is not None else None
        wait_s = self._throttle.begin(attempt.name, attempt.network, attempt.now, failures, unlocked_at)
        if wait_s > 0:
            raise TooMany("too many failed logins", wait_s)

    def _open(self, attempt: _Try) -> str | None:
        if attempt.person is None:
            return None
        session = new_session()
        with self._pool.connection() as connection:
            opened = people.open_session(connection, attempt.person, session.sha256, self._lifetime, attempt.now)
        return session.text if opened else None

    def _note_failure(self, attempt: _Try) -> None:
        self._limits.count_failed_login(attempt.network)
        if attempt.person is None:
            self._throttle.failed_for_nobody(attempt.name, attempt.now)
        with self._pool.connection() as connection:
            people.note_failure(connection, attempt.person, attempt.now)

    def _keep_better(self, person: Person, password: str) -> None:
        if self._hashing.is_outdated(person.password):
            better = self._hashing.hash(password)
            with self._pool.connection() as connection:
                people.rehash(connection, person, better)

    def _close(self, request: Request) -> None:
        sha256 = session_sha256(request.cookies.get(COOKIE, ""))
        if sha256 is not None:
            with self._pool.connection() as connection:
                people.close_session(connection, sha256, self._clock())
