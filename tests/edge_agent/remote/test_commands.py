"""Commands: done at most once, in time, and answered each time they are asked; ended at every step."""

from __future__ import annotations

from pathlib import Path

import pytest

from contract import codec
from contract.command import Command, Picture
from edge_agent.remote.budget import Step
from edge_agent.remote.command_log import INTERRUPTED, PICTURE_GONE, REMEMBERED
from edge_agent.remote.commands import SWITCHED_OFF, Answer, Deed
from edge_agent.remote.deeds import Surroundings, deeds
from edge_agent.remote.hand import HandError
from tests.edge_agent.remote.killed import Killed, steps
from tests.edge_agent.remote.making import NOW_MS, Device, command

PICTURE = Picture("image/png", b"a picture")


class Counted:
    """A deed that counts how often it was done."""

    def __init__(self, answer: Answer | Exception) -> None:
        self.answer, self.times = answer, 0

    def __call__(self, _: Command) -> Answer:
        self.times += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def device_with(folder: Path, deed: Deed, name: str = "send-now") -> Device:
    return Device(folder, deeds={name: deed})


def test_it_is_done_once_and_answered_each_time_also_by_the_next_run(tmp_path: Path) -> None:
    deed = Counted(Answer("done", "xong"))
    device = device_with(tmp_path, deed)
    replies = [device.ask(command()) for _ in range(3)] + [device_with(tmp_path, deed).ask(command())]
    assert deed.times == 1
    assert {(reply.command, reply.outcome, reply.detail) for reply in replies} == {(command().id, "done", "xong")}


def test_a_picture_is_repeated_by_this_run_only(tmp_path: Path) -> None:
    device = device_with(tmp_path, Counted(Answer("done", "by mpv", PICTURE)), "snapshot")
    assert [device.ask(command("snapshot")).picture for _ in range(2)] == [PICTURE, PICTURE]
    reply = device_with(tmp_path, Counted(Answer("done", "")), "snapshot").ask(command("snapshot"))
    assert (reply.outcome, reply.detail, reply.picture) == ("failed", PICTURE_GONE, None)
    assert "a picture" not in (tmp_path / "commands.json").read_text()


@pytest.mark.parametrize("hub_now_ms", [NOW_MS + 600_000, NOW_MS + 10**9])
def test_what_has_expired_is_not_done(tmp_path: Path, hub_now_ms: int) -> None:
    deed = Counted(Answer("done", ""))
    device = device_with(tmp_path, deed)
    device.hub_now_ms = hub_now_ms
    assert device.ask(command()).outcome == "expired"
    assert deed.times == 0


def test_without_any_time_a_command_counts_as_just_given(tmp_path: Path) -> None:
    device = device_with(tmp_path, Counted(Answer("done", "")))
    device.hub_now_ms = None
    assert device.ask(command()).outcome == "done"


def test_what_fails_is_told_and_not_tried_again(tmp_path: Path) -> None:
    for number, (error, text) in enumerate(
        [
            (HandError("mpv: no mpv listens"), "mpv: no mpv listens"),
            (ValueError("x"), "a bug in the agent: ValueError: x"),
        ]
    ):
        deed = Counted(error)
        device = device_with(tmp_path, deed)
        for _ in range(2):
            reply = device.ask(command(number=number))
            assert (reply.outcome, reply.detail) == ("failed", text)
        assert deed.times == 1


def test_an_unknown_one_and_one_that_the_device_does_not_allow_are_refused(tmp_path: Path) -> None:
    device = device_with(tmp_path, Counted(Answer("done", "")))
    reply = device.ask(command("make-coffee"))
    assert (reply.outcome, reply.detail) == ("refused", "this agent does not know it; it knows send-now")
    closed = Device(tmp_path, allowed=False, deeds={"send-now": Counted(Answer("done", ""))})
    assert (closed.ask(command()).outcome, closed.ask(command()).detail) == ("refused", SWITCHED_OFF)


def test_what_cannot_be_read_is_not_answered(tmp_path: Path) -> None:
    for data in (b"", b"{}", b'{"id":"x","name":"identify","issued_ms":1,"expires_ms":2}', b"\xff"):
        assert Device(tmp_path).commands.take(data, codec.JSON) is None


def test_the_log_stays_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_agent.remote.command_log.REMEMBERED", 8)
    device = device_with(tmp_path, Counted(Answer("done", "x" * 500)))
    for number in range(20):
        device.ask(command(number=number))
    again = device_with(tmp_path, deed := Counted(Answer("done", "")))
    again.ask(command(number=19))
    assert deed.times == 0
    assert (tmp_path / "commands.json").stat().st_size < 8 * 600 < REMEMBERED * 600


def test_a_log_that_cannot_be_read_costs_no_start(tmp_path: Path) -> None:
    (tmp_path / "commands.json").write_bytes(b"\0" * 99)
    assert device_with(tmp_path, Counted(Answer("done", ""))).ask(command()).outcome == "done"


def test_wherever_it_ends_it_is_done_at_most_once_and_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with steps(monkeypatch) as counted:
        device_with(tmp_path / "counted", Counted(Answer("done", "xong"))).ask(command())
    outcomes = []
    for place in range(counted.places):
        folder, deed = tmp_path / str(place), Counted(Answer("done", "xong"))
        with steps(monkeypatch, place), pytest.raises(Killed):
            device_with(folder, deed).ask(command())
        before = deed.times
        reply = device_with(folder, deed).ask(command())
        assert deed.times <= 1
        outcomes.append((before, reply.outcome, reply.detail))
    # It ended before it was noted and was done by the next run, in between, or after its answer was noted.
    assert set(outcomes) == {
        (0, "done", "xong"),
        (0, "failed", INTERRUPTED),
        (1, "failed", INTERRUPTED),
        (1, "done", "xong"),
    }


# -- what each does -----------------------------------------------------------------------------------------------


class FakeHand:
    """A player that notes what it is asked."""

    def __init__(self, name: str, *, gone: bool = False) -> None:
        self.name, self.gone = name, gone
        self.asked: list[object] = []

    def identify(self, lines: list[str]) -> None:
        self._do(lines)

    def snapshot(self) -> Picture:
        self._do("snapshot")
        return PICTURE

    def restart(self) -> None:
        self._do("restart")

    def _do(self, what: object) -> None:
        if self.gone:
            raise HandError(f"{self.name}: gone")
        self.asked.append(what)


def do(name: str, *hands: FakeHand, data: Step = "plenty", visited: bool = False, site: str = "") -> Answer:
    said: list[str] = []
    around = Surroundings("bg-20-cma-k1", hands, lambda: said.append("now"), lambda: data, lambda: visited)
    answer = deeds(around)[name](command(name, site=site))
    assert said == (["now"] if name == "send-now" else [])
    return answer


def test_identify_shows_site_and_device_on_every_player() -> None:
    mpv, chromium = FakeHand("mpv"), FakeHand("chromium", gone=True)
    answer = do("identify", mpv, chromium, site="Cửa khẩu Chi Ma")
    assert mpv.asked == [["Cửa khẩu Chi Ma", "bg-20-cma-k1"]]
    assert answer == Answer("done", "shown for 20 s by mpv; chromium: gone")


def test_a_snapshot_is_of_the_first_player_that_gives_one() -> None:
    assert do("snapshot", FakeHand("chromium", gone=True), FakeHand("mpv")) == Answer("done", "by mpv", PICTURE)
    assert do("snapshot", FakeHand("mpv", gone=True)) == Answer("failed", "mpv: gone")


@pytest.mark.parametrize(("data", "visited"), [("saving", False), ("spent", False), ("plenty", True)])
def test_no_picture_where_data_is_short_or_a_visitor_stands(data: Step, *, visited: bool) -> None:
    hand = FakeHand("mpv")
    assert do("snapshot", hand, data=data, visited=visited).outcome == "refused"
    assert hand.asked == []


@pytest.mark.parametrize("name", ["identify", "snapshot", "restart-player"])
def test_without_a_player_it_is_refused(name: str) -> None:
    assert do(name).outcome == "refused"


def test_send_now_and_restart() -> None:
    hand = FakeHand("mpv")
    assert do("send-now").outcome == "done"
    assert do("restart-player", hand).outcome == "done"
    assert hand.asked == ["restart"]
