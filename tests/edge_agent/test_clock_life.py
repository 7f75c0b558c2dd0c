"""Whatever a kiosk lives through: no final time is further from the truth than its source can be wrong."""

from __future__ import annotations

import os
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.clock import MAX_DRIFT_MS
from tests.edge_agent.kiosk_life import BEGINS_MS, HOUR_MS, Final, Life

DAY_MS = 24 * HOUR_MS
PPM = 1_000_000
WALLS = st.sampled_from([0, 5_000, BEGINS_MS - DAY_MS, BEGINS_MS + 10 * DAY_MS, 2_100_000_000_000])
"""1970, the clock that was saved at the last stop, and real ones that are wrong: 2036 among them."""
ACTS = st.one_of(
    st.tuples(st.just("see")),
    st.tuples(st.just("see")),
    st.tuples(st.just("wait"), st.sampled_from([1, 900, 60_000, HOUR_MS, 9 * HOUR_MS])),
    st.tuples(st.just("exchange"), st.integers(1, 4_000)),
    st.tuples(st.just("ntp")),
    st.tuples(st.just("set_date"), st.sampled_from([-DAY_MS, -2_000, 2_000, 400 * DAY_MS])),
    st.tuples(st.just("seal"), st.sampled_from([1, 2, 500])),
    st.tuples(st.just("cut_while_sealing"), st.booleans()),
    st.tuples(st.just("start_agent")),
    st.tuples(st.just("power_up"), WALLS),
)


@settings(max_examples=int(os.environ.get("TTDN_PROTOCOL_EXAMPLES", "150")), deadline=None)
@given(drift_ppm=st.sampled_from([-200, 0, 120, 200]), acts=st.lists(ACTS, max_size=40))
def test_final_times_are_as_right_as_they_say(drift_ppm: int, acts: list[tuple[str, int]]) -> None:
    life = Life(drift_ppm)
    for name, *values in acts:
        if name == "cut_while_sealing":
            life.cut_while_sealing(reached_the_disk=bool(values[0]))
        elif name == "power_up":
            life.wait(20_000)  # off
            life.power_up(values[0])
        else:
            getattr(life, name)(*values)
        life.look()
    judge(life, life.end())


def judge(life: Life, finals: list[Final]) -> None:
    longest_ms = max(end - begin for begin, end in pairwise([*life.boots, life.true_ms]))
    exchange_ms = life.worst_rtt_ms + 20
    drift_ms = longest_ms * 200 // PPM
    bounds = {"synced": exchange_ms + MAX_DRIFT_MS, "repaired": exchange_ms + MAX_DRIFT_MS + drift_ms}
    slack_ms = bounds["repaired"] + drift_ms
    for final in finals:
        happened, time_ms, clock = final
        if clock != "estimated":
            assert abs(time_ms - happened.true_ms) <= bounds[clock], final
        else:
            assert time_ms >= happened.floor_ms - slack_ms, final
            assert time_ms <= life.true_ms + slack_ms, final
    for before, after in pairwise(finals):
        assert before.time_ms <= after.time_ms + slack_ms, (before, after)
        if before.happened.boot == after.happened.boot and {before.clock, after.clock} == {"estimated"}:
            apart_ms = after.happened.true_ms - before.happened.true_ms
            assert abs(after.time_ms - before.time_ms - apart_ms) <= drift_ms + 20, "order and distance are kept"


@pytest.mark.parametrize("drift_ppm", [-200, 200])
def test_thirty_days_of_drift_on_and_off_the_line(drift_ppm: int) -> None:
    """No NTP. Ten days with an exchange an hour, ten without, ten with: the gap is repaired from both its ends."""
    life = Life(drift_ppm)
    for day in range(30):
        for hour in range(24):
            life.wait(HOUR_MS)
            if not 10 <= day < 20:
                life.exchange(300 + 700 * (hour % 3))
            life.see()
    finals = life.end()
    errors_ms = {
        clock: [abs(final.time_ms - final.happened.true_ms) for final in finals if final.clock == clock]
        for clock in ("synced", "repaired", "estimated")
    }
    assert (len(errors_ms["repaired"]), len(errors_ms["estimated"])) == (10 * 24 - 6, 0)
    assert max(errors_ms["repaired"]) <= 600, "173 s were drifted in the ten days"
    assert max(errors_ms["synced"]) <= MAX_DRIFT_MS, "in the first hours of the gap"
    assert sum(error_ms > 600 for error_ms in errors_ms["synced"]) <= 6


def test_boots_that_were_never_right_lie_between_those_that_were() -> None:
    life = Life()
    life.wait(HOUR_MS)
    life.ntp()
    life.see()
    for _ in range(3):
        life.wait(HOUR_MS)
        life.power_up(0)
        life.see()
        life.wait(HOUR_MS)
        life.see()
    life.power_up(0)
    finals = life.end()
    assert [final.clock for final in finals] == ["synced", *["estimated"] * 6]
    assert [final.time_ms for final in finals] == sorted(final.time_ms for final in finals)
    assert finals[0].time_ms < finals[1].time_ms
    assert finals[-1].time_ms <= life.boots[-1]
    assert [b.time_ms - a.time_ms for a, b in zip(finals[1::2], finals[2::2], strict=True)] == [HOUR_MS] * 3


def test_a_long_boot_on_the_floor_alone_begins_on_the_floor() -> None:
    life = Life(-200)
    life.see()
    life.wait(9 * HOUR_MS)
    life.see()
    life.power_up(0)
    first, last = life.end()
    assert first.time_ms == first.happened.floor_ms
    assert last.time_ms >= last.happened.floor_ms


def test_a_boot_whose_repair_was_cut_off_is_repaired_by_what_it_had_sealed() -> None:
    life = Life()
    for _ in range(4):
        life.see()
        life.wait(1_000)
    life.exchange(200)
    life.see()
    life.seal(2)
    life.cut_while_sealing(reached_the_disk=False)
    life.see()
    life.wait(5_000)
    finals = life.end()
    assert [final.clock for final in finals] == [*["repaired"] * 4, "synced", "repaired"]
    assert max(abs(final.time_ms - final.happened.true_ms) for final in finals) <= 100
