"""Enrolment and renewal, step by step: each stands on the disk before the next begins.

    a key and what it is for (`pending/`) ── authority = the code's? ── asked ── checked ── a generation, `current`

Cut anywhere, `go_on` takes it up at the next start with the same key: the hub answers the same key with the same
certificate. Only a refusal by the hub ends a step that was begun.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Final, NamedTuple

from contract.enrol import DEVICES_PATH, RENEWALS_PATH, Enrolled, EnrolRequest, RenewRequest
from contract.enrol_code import EnrolCode
from contract.version import VERSION
from edge_agent import durable
from edge_agent.identity import keys
from edge_agent.identity.errors import StepFailed
from edge_agent.identity.hub_link import HubLink, parse_url
from edge_agent.identity.store import CERTIFICATE, KEY, HubFacts, Identity, IdentityStore, Pending, Step
from edge_agent.tls import Moment

Now = Callable[[int], Moment]
"""The time as it is known on this machine, no earlier than the floor given, ms."""
Tell = Callable[[str], None]
"""Hears the key of texts.STEPS of what begins."""
_ENDS: Final = frozenset({"refused", "renewal_refused"})


class Means(NamedTuple):
    """What a step needs from outside."""

    now: Now
    tell: Tell = lambda _step: None


def code_mark(code: EnrolCode) -> str:
    """By which a code is known again without being kept."""
    return hashlib.sha256(b"ttdn-code" + code.secret + code.authority).hexdigest()


def enrol(store: IdentityStore, url: str, code: EnrolCode, means: Means) -> Identity:
    """Become the device that the code is for, or go on becoming it. StepFailed says why not yet, or not at all."""
    step = Step(
        kind="enrol",
        url=parse_url(url).url,
        secret=code.secret.hex(),
        authority=code.authority.hex(),
        issued_ms=code.issued_ms,
        code=code_mark(code),
    )
    with store.making():
        present = store.current()
        if present is not None and present.hub.code_used == step.code:
            return present  # a power cut came between the last step and the word of it
        pending = store.pending()
        if pending is None or pending.step.code != step.code:
            means.tell("key")
            pending = store.begin(step, keys.make_key)
        else:
            means.tell("resume")
            pending = store.redirect(pending, step)
        return _finish(store, pending, means)


def renew(store: IdentityStore, means: Means, *, anew: bool = False) -> Identity | None:
    """The next certificate, with a new key. None if this device has none yet. `anew` drops what is under way."""
    with store.making():
        present = store.current()
        if present is None:
            return None
        pending = None if anew else store.pending()
        if pending is None:
            pending = store.begin(Step(kind="renew", url=present.hub.url), keys.make_key)
        return _finish(store, pending, means)


def go_on(store: IdentityStore, means: Means) -> Identity | None:
    """Take up what a power cut ended. None if nothing was under way."""
    if store.pending() is None:
        return None
    with store.making():
        pending = store.pending()  # gone, if only its removal was missing
        return _finish(store, pending, means) if pending is not None else store.current()


def _finish(store: IdentityStore, pending: Pending, means: Means) -> Identity:
    try:
        if pending.step.kind == "renew":
            return _renewed(store, pending, means)
        return _enrolled(store, pending, means)
    except StepFailed as error:
        if error.code in _ENDS:
            store.drop_pending()
        raise


def _enrolled(store: IdentityStore, pending: Pending, means: Means) -> Identity:
    step = pending.step
    hub = HubLink(step.url, lambda: means.now(step.issued_ms))
    means.tell("authority")
    authority = hub.authority(bytes.fromhex(step.authority))
    durable.replace_file(pending.authority, authority.encode("ascii"))
    means.tell("ask")
    request = EnrolRequest(secret=step.secret, csr=pending.request(), version=VERSION)
    return _take(store, pending, hub.request(DEVICES_PATH, request, pending.authority), step.code, means)


def _renewed(store: IdentityStore, pending: Pending, means: Means) -> Identity:
    present = store.current()
    if present is None:
        store.drop_pending()
        raise StepFailed("renewal_refused", "no certificate to renew")
    hub = HubLink(present.hub.url, lambda: means.now(present.floor_ms))
    means.tell("ask")
    request = RenewRequest(
        certificate=(present.folder / CERTIFICATE).read_text(encoding="ascii"),
        csr=pending.request(),
        signature=keys.sign_renewal(pending.folder, present.folder / KEY),
        version=VERSION,
    )
    answer = hub.request(RENEWALS_PATH, request, present.authority)
    if answer.device != present.hub.device:
        raise StepFailed("bad_answer", f"the certificate is of {answer.device}, not of {present.hub.device}")
    return _take(store, pending, answer, present.hub.code_used, means)


def _take(store: IdentityStore, pending: Pending, answer: Enrolled, code: str, means: Means) -> Identity:
    """Nothing that was not checked becomes a generation."""
    means.tell("check")
    found = keys.check_certificate(pending.folder, answer.certificate, answer.authority)
    if found.device != answer.device:
        raise StepFailed("bad_answer", f"the certificate is of {found.device}, not of {answer.device}")
    facts = HubFacts(
        device=answer.device,
        brokers=answer.brokers,
        url=parse_url(answer.url).url,
        not_before_ms=found.not_before_ms,
        not_after_ms=found.not_after_ms,
        hub_time_ms=answer.hub_time,
        release_key=answer.release_key,
        code_used=code,
    )
    return store.install(pending, answer.certificate, answer.authority, facts)
