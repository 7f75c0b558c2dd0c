"""Renewal by itself: when, how often, and what is told of a certificate that is not renewed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from contract.enrol import BrokerAddress, EnrolRefused
from edge_agent.draft import Draft
from edge_agent.errors import AgentFailed
from edge_agent.identity import keys, renewal_plan, renewing
from edge_agent.identity.keeper import BLIND_MS, LOOK_MS, Keeper
from edge_agent.identity.store import HubFacts, IdentityStore, Step
from edge_agent.tls import Moment
from simulator.ports import HOST
from tests.edge_agent.hand_hub import dead_port
from tests.edge_agent.identity.enrolled import certain, enrolled, renewed
from tests.edge_agent.identity.hand_authority import HandEnrolment, ms, now
from tests.patience import until

DAY_MS = 86_400_000
FACTS = HubFacts(
    device="a",
    brokers=(BrokerAddress(HOST),),
    url="https://h",
    not_before_ms=0,
    not_after_ms=360 * DAY_MS,
    hub_time_ms=DAY_MS,
)


def at(day: float, *, is_certain: bool = True) -> Moment:
    return Moment(int(day * DAY_MS), is_certain)


# -- when -------------------------------------------------------------------------------------------------------------


def test_it_is_due_after_two_thirds_and_each_device_has_a_day_of_its_own() -> None:
    days = {renewal_plan.due_ms(replace(FACTS, device=f"k{number}")) / DAY_MS for number in range(50)}
    assert all(240 <= day <= 250 for day in days)
    assert max(days) - min(days) > 5
    assert renewal_plan.due_ms(FACTS) == renewal_plan.due_ms(FACTS)
    assert not renewal_plan.is_due(FACTS, at(239))
    assert renewal_plan.is_due(FACTS, at(251))
    assert renewal_plan.is_due(FACTS, at(251, is_certain=False)), "a floor is passed for sure"
    assert renewal_plan.is_due(FACTS, at(400)), "an expired one, too: the hub allows a grace"


def test_its_end_is_told_of_in_time() -> None:
    assert renewal_plan.trouble(FACTS, at(299), "") is None
    late = renewal_plan.trouble(FACTS, at(301), "no network")
    assert late is not None
    assert (late.code, late.reason) == ("certificate_expiring", "expires on 1970-12-27; renewal: no network")
    over = renewal_plan.trouble(FACTS, at(361), "")
    assert over is not None
    assert over.code == "certificate_expired"


def test_pauses_grow_and_differ() -> None:
    pauses = [renewal_plan.pause_s(failures, refused=False) for failures in (1, 2, 8, 50, 2_000)]
    assert 30 <= pauses[0] <= 60
    assert all(10_800 <= pause <= 21_600 for pause in pauses[3:])
    assert len(set(pauses)) == len(pauses)
    assert renewal_plan.pause_s(1, refused=True) >= 43_200
    assert renewal_plan.pause_s(1, refused=False, asked_s=7_000) == 7_000


# -- by itself --------------------------------------------------------------------------------------------------------


class Ticking:
    """A keeper whose minutes pass at once."""

    def __init__(self, folder: Path, moment: Callable[[int], Moment] = certain) -> None:
        identity = IdentityStore(folder).current()
        assert identity is not None
        self.changes = 0
        self.connected = True
        self.drafts: list[Draft] = []
        self.keeper = Keeper(folder, identity, moment, self._changed)
        self.now_ms = 1_000_000

    def _changed(self) -> None:
        self.changes += 1

    def tick(self) -> bool:
        self.now_ms += LOOK_MS if self.keeper._process is None else 10
        self.drafts += self.keeper.tick(self.now_ms, connected=self.connected)
        return self.keeper._process is None

    def attempt(self) -> None:
        """One, to its end."""
        until(lambda: not self.tick(), "it begins")
        until(self.tick, "it ends")
        self.tick()
        self.keeper.stop()  # the minute of the last tick may have begun another attempt

    def codes(self) -> list[str]:
        return [trouble.code for trouble in self.keeper.troubles()]


def old(hub: HandEnrolment, days: float = 300) -> HandEnrolment:
    """It gives certificates that are that old."""
    hub.begins = now() - timedelta(days=days)
    return hub


def test_a_certificate_that_is_due_is_renewed_by_a_process(hub: HandEnrolment, tmp_path: Path) -> None:
    before = enrolled(tmp_path, old(hub))
    hub.begins = None
    ticking = Ticking(tmp_path)
    ticking.attempt()
    assert ticking.changes == 1
    (draft,) = ticking.drafts
    assert draft.event.action == "config"  # type: ignore[union-attr]
    assert "certificate renewed until" in draft.event.detail  # type: ignore[union-attr]
    status = ticking.keeper.status()
    assert status.not_after_ms > before.hub.not_after_ms
    assert status.renew_from_ms > ms(now())
    assert not renewal_plan.is_due(IdentityStore(tmp_path).current().hub, certain())  # type: ignore[union-attr]
    ticking.keeper.served("1")
    ticking.tick()
    assert ticking.codes() == ["certificate_unusable"], "brokers take the old one only"
    assert len(IdentityStore(tmp_path).earlier()) == 1
    ticking.keeper.served("2")
    ticking.tick()
    assert ticking.codes() == []
    assert IdentityStore(tmp_path).earlier() == []


def test_failures_are_told_and_tried_again_later(hub: HandEnrolment, tmp_path: Path) -> None:
    with dead_port() as port:
        hub.told_url = f"https://{HOST}:{port}"
        enrolled(tmp_path, old(hub))
        ticking = Ticking(tmp_path)
        ticking.attempt()
        assert "refuses connections" in ticking.keeper.status().last_error
        assert ticking.codes() == []
        assert ticking.changes == 0
        assert IdentityStore(tmp_path).pending() is not None, "with the same key again"
    late = Ticking(tmp_path, lambda _floor: Moment(ms(now() + timedelta(days=200)), certain=True))
    assert late.codes() == ["certificate_expired"]


def test_a_refusal_is_a_fault(hub: HandEnrolment, tmp_path: Path) -> None:
    enrolled(tmp_path, old(hub))
    hub.refusal = 403, EnrolRefused(error="refused")
    ticking = Ticking(tmp_path)
    ticking.attempt()
    assert ticking.codes() == ["certificate_refused"]
    assert IdentityStore(tmp_path).pending() is None


def test_what_was_cut_short_goes_on_and_another_enrolment_is_taken(hub: HandEnrolment, tmp_path: Path) -> None:
    enrolled(tmp_path, hub)
    ticking = Ticking(tmp_path)
    renewed(tmp_path)
    ticking.tick()
    assert ticking.changes == 1
    enrolled(tmp_path, hub, b"87654321", "other")
    with pytest.raises(AgentFailed, match="enrolled anew as other"):
        ticking.tick()


def test_a_kiosk_from_the_cupboard_finds_out_by_the_hub_that_its_certificate_has_expired(
    hub: HandEnrolment, tmp_path: Path
) -> None:
    """It has no time of its own, and brokers do not say why they refuse it."""
    enrolled(tmp_path, old(hub, 400))
    hub.begins = None
    ticking = Ticking(tmp_path, lambda _floor: Moment(ms(now() - timedelta(days=390)), certain=False))
    for _ in range(100):
        assert ticking.tick(), "while a broker lets it in, all is well"
    ticking.connected = False
    for _ in range(BLIND_MS // LOOK_MS - 2):
        assert ticking.tick(), "an hour without a broker is nothing"
    ticking.attempt()
    assert ticking.changes == 1
    for _ in range(200):
        assert ticking.tick(), "and not every hour, while a broker is down"


def test_stopping_ends_its_process(hub: HandEnrolment, tmp_path: Path) -> None:
    enrolled(tmp_path, old(hub))
    ticking = Ticking(tmp_path)
    until(lambda: not ticking.tick())
    process = ticking.keeper._process
    assert process is not None
    ticking.keeper.stop()
    assert process.returncode is not None


def test_an_enrolment_that_gets_nowhere_does_not_cost_the_certificate(hub: HandEnrolment, tmp_path: Path) -> None:
    before = enrolled(tmp_path, old(hub))
    hub.begins = None
    step = Step(kind="enrol", url=f"https://{HOST}:1", secret="0" * 16, authority="0" * 24, issued_ms=1, code="x")
    IdentityStore(tmp_path).begin(step, keys.make_key)
    assert renewing.run(tmp_path, Moment(before.hub.not_before_ms, certain=True)).error, "there is time"
    assert renewing.run(tmp_path, certain()).device == before.hub.device
    after = IdentityStore(tmp_path).current()
    assert after is not None
    assert after.name != before.name


@pytest.mark.parametrize("damaged", ["step.json", "request.pem"])
@pytest.mark.parametrize("data", [b"\0" * 20, None])
def test_a_step_that_cannot_be_read_does_not_cost_the_certificate(
    hub: HandEnrolment, tmp_path: Path, damaged: str, data: bytes | None
) -> None:
    before = enrolled(tmp_path, old(hub))
    hub.begins = None
    pending = IdentityStore(tmp_path).begin(Step(kind="renew", url=hub.url), keys.make_key)
    if data is None:
        (pending.folder / damaged).unlink()
    else:
        (pending.folder / damaged).write_bytes(data)
    assert renewing.run(tmp_path, certain()).device == before.hub.device
    after = IdentityStore(tmp_path).current()
    assert after is not None
    assert after.name != before.name
