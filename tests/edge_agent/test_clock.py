"""Time on a kiosk without a clock of its own."""

from __future__ import annotations

import ctypes

import pytest

from contract.limits import MAX_TIME_MS
from edge_agent import clock as clock_module
from edge_agent.clock import Clock, Stamp, boottime_ms, kernel_synchronised
from edge_agent.clock_floor import Floor
from edge_agent.tls import Moment

HOUR_MS = 3_600_000


class World:
    """A machine whose wall clock is `wrong_ms` off and whose uptime runs evenly."""

    def __init__(self, wrong_ms: int = 0, *, synchronised: bool = False, floor: Floor | None = None) -> None:
        self.boot_ms, self.wrong_ms, self.synchronised = 50_000, wrong_ms, synchronised
        self.clock = Clock(
            floor=floor,
            boottime=lambda: self.boot_ms,
            wall=lambda: self.true_ms() + self.wrong_ms,
            synchronised=lambda: self.synchronised,
        )

    def true_ms(self) -> int:
        return 1_790_000_000_000 + self.boot_ms

    def exchange(self, rtt_ms: int) -> None:
        sent_ms = self.boot_ms
        self.boot_ms += rtt_ms // 2
        hub_ms = self.true_ms()
        self.boot_ms += rtt_ms - rtt_ms // 2
        self.clock.learn(hub_ms, sent_ms, self.boot_ms)


def test_a_disciplined_clock_is_believed() -> None:
    world = World(synchronised=True)
    assert world.clock.stamp(world.boot_ms - 7_000) == Stamp(world.true_ms() - 7_000, "synced")
    assert world.clock.offset_ms() is None
    assert world.clock.rtt_ms() is None


def test_an_undisciplined_clock_is_an_estimate_until_the_hub_tells_the_time() -> None:
    world = World(wrong_ms=-9 * HOUR_MS)
    assert world.clock.stamp(world.boot_ms) == Stamp(world.true_ms() - 9 * HOUR_MS, "estimated")
    world.exchange(40)
    assert world.clock.stamp(world.boot_ms) == Stamp(world.true_ms(), "synced")
    assert world.clock.offset_ms() == 9 * HOUR_MS
    assert world.clock.rtt_ms() == 40


def test_a_slow_exchange_does_not_spoil_a_fast_one() -> None:
    world = World()
    world.exchange(40)
    world.clock.learn(world.true_ms() + 4_000, world.boot_ms - 8_000, world.boot_ms)
    assert world.clock.stamp(world.boot_ms) == Stamp(world.true_ms(), "synced")
    assert world.clock.rtt_ms() == 40


def test_an_old_exchange_counts_less_for_the_clock_runs_away_from_it() -> None:
    world = World()
    world.exchange(10)
    world.boot_ms += HOUR_MS
    world.clock.learn(world.true_ms() - 300, world.boot_ms - 500, world.boot_ms)
    assert world.clock.rtt_ms() == 500
    assert abs(world.clock.stamp(world.boot_ms).time_ms - world.true_ms()) <= 50


@pytest.mark.parametrize(("wrong_ms", "expected"), [(-(10**14), 0), (10**14, MAX_TIME_MS)])
def test_even_a_mad_clock_gives_times_that_the_hub_takes(wrong_ms: int, expected: int) -> None:
    world = World(wrong_ms)
    assert world.clock.stamp(world.boot_ms) == Stamp(expected, "estimated")


def test_a_date_set_by_hand_changes_nothing_that_is_recorded() -> None:
    world = World(synchronised=True)
    assert world.clock.take_step_ms() is None
    assert world.clock.stamp(world.boot_ms).clock == "synced"
    world.synchronised, world.wrong_ms = False, 400 * 24 * HOUR_MS  # the kernel's word goes with the step
    assert world.clock.stamp(world.boot_ms) == Stamp(world.true_ms(), "synced")
    assert world.clock.take_step_ms() == 400 * 24 * HOUR_MS
    assert world.clock.take_step_ms() is None
    world.boot_ms += 6 * HOUR_MS
    assert world.clock.certain()
    world.boot_ms += 2 * HOUR_MS
    assert world.clock.stamp(world.boot_ms) == Stamp(world.true_ms(), "estimated")


def test_small_steps_are_told_of_when_they_have_added_up() -> None:
    world = World()
    told = []
    for _ in range(10):
        world.wrong_ms -= 200
        told.append(world.clock.take_step_ms())
    assert [step for step in told if step is not None] == [-600, -600, -600]


@pytest.mark.parametrize("wrong_ms", [-20_000, 9 * HOUR_MS])
def test_where_kernel_and_hub_contradict_each_other_the_hub_counts(
    wrong_ms: int, caplog: pytest.LogCaptureFixture
) -> None:
    world = World(wrong_ms, synchronised=True)
    world.exchange(40)
    assert world.clock.stamp(world.boot_ms) == Stamp(world.true_ms(), "synced")
    assert "apart" in caplog.text
    world.boot_ms += 8 * HOUR_MS
    assert not world.clock.certain(), "nobody who is believed has said anything for long"
    world.wrong_ms = 0
    assert world.clock.stamp(world.boot_ms) == Stamp(world.true_ms(), "synced")


@pytest.mark.parametrize(("wrong_ms", "rtt_ms"), [(2_000, 40), (-12_000, 9_000)])
def test_what_the_way_leaves_open_is_no_contradiction(wrong_ms: int, rtt_ms: int) -> None:
    world = World(wrong_ms, synchronised=True)
    world.exchange(rtt_ms)
    assert world.clock.stamp(world.boot_ms) == Stamp(world.true_ms() + wrong_ms, "synced")


def test_nothing_is_repaired_while_the_time_is_not_known() -> None:
    world = World()
    with pytest.raises(RuntimeError):
        world.clock.repaired_ms(5)
    world.exchange(40)
    assert world.clock.repaired_ms(5) == world.true_ms() - world.boot_ms + 5


def test_tls_is_told_the_floor_until_the_time_is_known() -> None:
    floor = 1_789_000_000_000
    world = World(-1_790_000_000_000, floor=Floor(attested_ms=floor))
    assert world.clock.moment() == Moment(floor, certain=False)
    assert world.clock.stamp(world.boot_ms) == Stamp(floor, "estimated")
    world.exchange(40)
    assert world.clock.moment() == Moment(world.true_ms(), certain=True)


def test_a_kernel_that_says_what_cannot_be_is_not_believed(caplog: pytest.LogCaptureFixture) -> None:
    """An NTP server of 2001 with a certificate of 2026."""
    attested = 1_789_000_000_000
    world = World(-25 * 365 * 24 * HOUR_MS, synchronised=True, floor=Floor(attested_ms=attested))
    assert world.clock.stamp(world.boot_ms) == Stamp(attested, "estimated")
    assert not world.clock.moment().certain
    assert [record.levelname for record in caplog.records] == ["WARNING"], "said once"
    world.exchange(40)
    assert world.clock.stamp(world.boot_ms) == Stamp(world.true_ms(), "synced")


def test_a_clock_a_little_behind_the_certificate_is_no_contradiction() -> None:
    world = World(-5_000, synchronised=True, floor=Floor(attested_ms=1_790_000_050_000))
    assert world.clock.certain()


def test_a_stored_time_does_not_contradict_the_kernel() -> None:
    world = World(synchronised=True, floor=Floor(attested_ms=5, stored_ms=2_085_000_000_000))
    assert world.clock.stamp(world.boot_ms) == Stamp(world.true_ms(), "synced")


def test_an_hour_without_the_hub_a_wrong_ntp_locks_nobody_out() -> None:
    attested = 1_789_000_000_000
    world = World(10 * 365 * 24 * HOUR_MS, synchronised=True, floor=Floor(attested_ms=attested))
    assert world.clock.tls_moment() == Moment(world.true_ms() + world.wrong_ms, certain=True)
    world.boot_ms += HOUR_MS
    moment = world.clock.tls_moment()
    assert not moment.certain
    assert moment.time_ms < attested + 2 * HOUR_MS
    assert world.clock.moment().certain, "plans go by the kernel"
    world.exchange(40)
    assert world.clock.tls_moment() == Moment(world.true_ms(), certain=True)


def test_two_readings_of_the_clocks_are_close_to_each_other() -> None:
    """A thread that is held up between them would see a step of the wall clock that was none."""
    boot_ms, held_up = [50_000], [0, 0, 7_000]

    def wall() -> int:
        now = 1_790_000_000_000 + boot_ms[0]
        boot_ms[0] += held_up.pop() if held_up else 0
        return now

    clock = Clock(boottime=lambda: boot_ms[0], wall=wall, synchronised=lambda: False)
    boot_ms[0] += 5
    assert clock.take_step_ms() is None


def test_the_kernel_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert kernel_synchronised() in {True, False}

    class Libc:
        def __init__(self, answer: int) -> None:
            self.answer = answer

        def adjtimex(self, timex: ctypes.Array[ctypes.c_char]) -> int:
            assert not any(timex.raw[:4]), "modes = 0 reads and changes nothing"
            return self.answer

    for answer, expected in ((0, True), (4, True), (5, False), (-1, False)):
        libc = Libc(answer)
        monkeypatch.setattr(clock_module, "_libc", lambda libc=libc: libc)
        assert kernel_synchronised() is expected


def test_uptime_rises() -> None:
    first = boottime_ms()
    assert boottime_ms() >= first > 0
    clock = Clock()
    assert clock.now_ms() >= first
    assert clock.stamp(clock.now_ms()).time_ms > 1_700_000_000_000
