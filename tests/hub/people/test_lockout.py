"""Wrong passwords: guessing is slow, waiting always ends, and nobody locks out somebody else cheaply."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.people.lockout import EVERYWHERE, NO_FAILURES, ONE_ADDRESS, Failures, Policy, failed, level, wait_s
from hub.people.throttle import Throttle, network_of

NOW = datetime(2026, 9, 1, tzinfo=UTC)
POLICIES = st.sampled_from([ONE_ADDRESS, EVERYWHERE])
STEPS_S = st.lists(st.floats(-7_200, 90_000, allow_nan=False), max_size=120)
DAY_S = 86_400


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def after(failures: int, policy: Policy, every_s: float = 0) -> Failures:
    state = NO_FAILURES
    for number in range(failures):
        state = failed(state, later(number * every_s), policy)
    return state


# -- the machine ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", [ONE_ADDRESS, EVERYWHERE])
def test_so_many_tries_are_free_and_the_next_waits(policy: Policy) -> None:
    for number in range(policy.tries):
        assert wait_s(after(number, policy, 0.5), later(number), policy) == 0
    assert wait_s(after(policy.tries, policy), NOW, policy) == policy.first_wait_s
    assert wait_s(after(policy.tries + 1, policy), NOW, policy) == 2 * policy.first_wait_s
    assert wait_s(after(policy.tries + 99, policy), NOW, policy) == policy.longest_wait_s


def test_the_wait_ends_by_itself() -> None:
    state = after(5, ONE_ADDRESS)
    assert wait_s(state, later(29), ONE_ADDRESS) == 1
    assert wait_s(state, later(30), ONE_ADDRESS) == 0
    assert level(state, later(1_800), ONE_ADDRESS) == 4
    assert level(state, later(DAY_S), ONE_ADDRESS) == 0


@given(POLICIES, STEPS_S)
def test_whatever_the_clock_does(policy: Policy, steps_s: list[float]) -> None:
    """Nobody waits longer than the longest, and whoever waits as told is let in."""
    state, now = NO_FAILURES, NOW
    for step_s in steps_s:
        now += timedelta(seconds=step_s)
        wait = wait_s(state, now, policy)
        assert 0 <= wait <= policy.longest_wait_s
        assert wait_s(state, now + timedelta(seconds=wait + 1e-3), policy) == 0
        before = level(state, now, policy)
        state = failed(state, now, policy)
        assert 0 <= before < level(state, now, policy) == before + 1


@given(POLICIES, STEPS_S)
def test_a_failure_never_shortens_the_wait(policy: Policy, steps_s: list[float]) -> None:
    state, now = NO_FAILURES, NOW
    for step_s in steps_s:
        now += timedelta(seconds=abs(step_s))
        more = failed(state, now, policy)
        assert wait_s(more, now, policy) >= wait_s(state, now, policy)
        state = more


@given(st.floats(0, 60), st.integers(0, 200))
def test_guessing_is_slow(pause_s: float, extra: int) -> None:
    """As fast as one is let in: in a day not more than the free tries and one every quarter of an hour."""
    state, now, tries = NO_FAILURES, NOW, 0
    while now < later(DAY_S):
        wait = wait_s(state, now, ONE_ADDRESS)
        now += timedelta(seconds=wait + (pause_s if tries == extra else 0) + 0.001)
        state = failed(state, now, ONE_ADDRESS)
        tries += 1
    assert tries <= ONE_ADDRESS.tries + DAY_S / ONE_ADDRESS.longest_wait_s + 8


# -- the throttle -----------------------------------------------------------------------------------------------------


class Hub:
    """What the hub does with the throttle, for a person or for a name that nobody has."""

    def __init__(self, *, exists: bool) -> None:
        self.throttle = Throttle()
        self.exists = exists
        self.account = NO_FAILURES
        self.unlocked_at: datetime | None = None

    def wrong(self, network: str, now: datetime, name: str = "an") -> float:
        """Try a wrong password; how long one has to wait instead, or 0."""
        wait = self._begin(network, now, name)
        if wait == 0:
            if self.exists:
                self.account = failed(self.account, now, EVERYWHERE)
            else:
                self.throttle.failed_for_nobody(name, now)
        return wait

    def right(self, network: str, now: datetime, name: str = "an") -> bool:
        if self._begin(network, now, name) > 0:
            return False
        self.throttle.passed(name, network, now)
        return True

    def _begin(self, network: str, now: datetime, name: str) -> float:
        return self.throttle.begin(name, network, now, self.account if self.exists else None, self.unlocked_at)


@pytest.fixture(params=[True, False], ids=["somebody", "nobody"])
def hub(request: pytest.FixtureRequest) -> Hub:
    return Hub(exists=request.param)


def test_whoever_guesses_locks_out_himself_only(hub: Hub) -> None:
    assert [hub.wrong("a", NOW) for _ in range(6)] == [0, 0, 0, 0, 0, 30]
    assert hub.wrong("b", NOW) == 0
    assert hub.wrong("a", NOW, name="binh") == 0
    assert hub.right("c", NOW)
    assert not hub.right("a", later(29)), "not even the right password, or guessing would pay"
    assert hub.right("a", later(30))


def test_the_right_password_clears_this_network(hub: Hub) -> None:
    for _ in range(4):
        hub.wrong("a", NOW)
    assert hub.right("a", NOW)
    assert [hub.wrong("a", NOW) for _ in range(6)] == [0, 0, 0, 0, 0, 30]


def test_many_networks_at_once_lock_the_account_and_not_who_is_known(hub: Hub) -> None:
    assert hub.right("home", NOW)
    for number in range(10):
        for _ in range(5):
            assert hub.wrong(f"bot {number}", NOW) == 0
    assert hub.wrong("another", NOW) == EVERYWHERE.first_wait_s
    assert not hub.right("new phone", NOW)
    assert hub.right("home", NOW)
    assert hub.right("new phone", later(EVERYWHERE.first_wait_s))


def test_unlocking_forgives_at_once() -> None:
    hub = Hub(exists=True)
    for number in range(10):
        for _ in range(6):
            hub.wrong(f"bot {number}", NOW)
    assert not hub.right("bot 0", later(1))
    hub.account, hub.unlocked_at = NO_FAILURES, later(2)
    assert hub.right("bot 0", later(3))
    assert hub.right("new phone", later(3))


@settings(max_examples=50)
@given(
    st.booleans(),
    st.lists(st.floats(0, 4_000), max_size=400),
    st.lists(st.sampled_from(["an", "binh"]), min_size=1, max_size=5),
)
def test_one_network_never_locks_out_anybody_elsewhere(exists: bool, pauses_s: list[float], names: list[str]) -> None:
    """Whatever one network does, and for however long."""
    hub, now = Hub(exists=exists), NOW
    for number, pause_s in enumerate(pauses_s):
        now += timedelta(seconds=pause_s)
        hub.wrong("attacker", now, names[number % len(names)])
        for name in set(names):
            assert hub.throttle.begin(name, f"elsewhere {number}", now, hub.account if exists else None) == 0


def test_the_most_patient_attacker_of_one_network() -> None:
    """Exactly as fast as his failures count: for a month."""
    hub, now = Hub(exists=True), NOW
    while now < later(30 * DAY_S):
        wait = hub.wrong("attacker", now)
        now += timedelta(seconds=wait or 1)
        assert wait_s(hub.account, now, EVERYWHERE) == 0
    hub, now = Hub(exists=True), NOW
    while now < later(30 * DAY_S):
        hub.wrong("attacker", now)
        now += timedelta(seconds=ONE_ADDRESS.leak_s)
        assert wait_s(hub.account, now, EVERYWHERE) == 0


@given(st.lists(st.tuples(st.sampled_from("abcdefghijklmnop"), st.floats(0, 300)), max_size=300))
def test_a_name_that_nobody_has_is_treated_as_one_that_somebody_has(steps: list[tuple[str, float]]) -> None:
    somebody, nobody, now = Hub(exists=True), Hub(exists=False), NOW
    for network, pause_s in steps:
        now += timedelta(seconds=pause_s)
        assert somebody.wrong(network, now) == nobody.wrong(network, now)


def test_memory_is_bounded() -> None:
    throttle = Throttle(most=10)
    for number in range(100):
        throttle.begin(f"name{number}", "a", NOW, None)
        throttle.failed_for_nobody(f"name{number}", NOW)
        throttle.passed("an", f"network {number}", NOW)
    for memory in (throttle._pairs, throttle._nobody, throttle._known):
        assert len(memory._items) <= 10


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "unknown"),
        ("", "unknown"),
        (None, "unknown"),
    ],
)
def test_networks(address: str | None, network: str) -> None:
    assert network_of(address) == network
