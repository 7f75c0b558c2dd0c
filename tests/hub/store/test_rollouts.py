"""A roll-out over a real database: told, heard, halted, resumed, with its entries in the audit log."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec
import psycopg
import pytest

from contract.command import Args, Command
from contract.release import Fate, Offer, Told
from contract.status import Hello
from hub.errors import ConfigError
from hub.fleet.rollout import LASTS, Rules
from hub.store import rollouts
from hub.store.fleet_commands import FleetCommands
from hub.store.fleet_traffic import FleetTraffic
from hub.store.presence_store import PresenceStore
from hub.store.rollouts import Answer, Choice, Plan, move_on
from tests.hub.api.serving import BROKER, register

NOW = datetime.now(UTC)
OFFER = Offer("x86_64", ("3.11",), "a" * 64, 20_000_000)
HOUR = timedelta(hours=1)
PLAN = Plan("0.2.0", [OFFER], ("1", "100%"), Rules(HOUR, 2))
AT_ONCE = PLAN._replace(steps=("100%",))


class Noted(rollouts.Commands):
    """Notes what would be sent."""

    def __init__(self) -> None:
        self.given: list[str] = []
        self.said: dict[str, Answer] = {}

    def give(self, device: str, version: str, offers: Sequence[Offer], now: datetime) -> str:
        assert (version, list(offers)) == ("0.2.0", [OFFER])
        self.given.append(device)
        return f"{len(self.given):016x}"

    def answers(self, codes: Sequence[str]) -> dict[str, Answer]:
        return {code: self.said[code] for code in codes if code in self.said}


@pytest.fixture
def devices(connection: psycopg.Connection) -> list[str]:
    names = [f"bg-20-cma-k{number}" for number in (1, 2, 3)]
    register(connection, *names)
    return names


def says(
    connection: psycopg.Connection, device: str, fate: Fate, at: datetime, behind: timedelta = timedelta(0)
) -> None:
    """A lifecycle event of the device, whose clock may be behind, as the ingest stores it."""
    detail = Told(fate, "0.2.0", "0.1.0", "").detail()
    connection.execute(
        "INSERT INTO lifecycle (time, device, stream, seq, stored_at, clock, action, detail, placement) "
        "SELECT %(time)s, p.device, 1, 1, %(at)s, 'synced', 'update', %(detail)s, p.placement "
        "FROM device_place p JOIN device d ON d.id = p.device WHERE d.name = %(device)s",
        {"time": at - behind, "at": at, "device": device, "detail": detail},
    )


def begun(connection: psycopg.Connection) -> int:
    return rollouts.start(connection, PLAN, Choice(everywhere=True), by="command:test", now=NOW)


def moved(connection: psycopg.Connection, commands: Noted, now: datetime) -> str:
    ((_, decision),) = move_on(connection, commands, now, timedelta(days=7))
    return decision.state


def halted(connection: psycopg.Connection) -> list[tuple[str, str, bool]]:
    """Incidents: of which device, what they say, and whether somebody has seen to them."""
    return connection.execute(
        "SELECT d.name, i.detail ->> 'reason', i.closed_at IS NOT NULL FROM incident i JOIN device d ON d.id = i.device"
        " WHERE i.kind = 'rollout_halted' ORDER BY i.id"
    ).fetchall()


def test_waves_follow_each_other(connection: psycopg.Connection, devices: list[str]) -> None:
    begun(connection)
    commands = Noted()
    assert moved(connection, commands, NOW) == "running"
    assert len(commands.given) == 1
    says(connection, commands.given[0], "applied", NOW + timedelta(minutes=1))
    moved(connection, commands, NOW + timedelta(minutes=2))
    assert len(commands.given) == 1
    moved(connection, commands, NOW + 2 * HOUR)
    assert sorted(commands.given) == devices
    for device in devices:
        says(connection, device, "applied", NOW + 3 * HOUR)
    assert moved(connection, commands, NOW + 3 * HOUR) == "finished"
    assert move_on(connection, commands, NOW + 3 * HOUR, HOUR) == []


def test_it_halts_is_resumed_and_stopped(connection: psycopg.Connection, devices: list[str]) -> None:
    number, commands = begun(connection), Noted()
    moved(connection, commands, NOW)
    says(connection, commands.given[0], "went_back", NOW + timedelta(minutes=1))
    assert moved(connection, commands, NOW + timedelta(minutes=2)) == "halted"
    of = commands.given[0]
    assert halted(connection) == [(of, f"it did not work on: {of}", False)]
    assert move_on(connection, commands, NOW + HOUR, HOUR) == []
    with pytest.raises(ConfigError, match="which goes on"):
        begun(connection)
    rollouts.change(connection, number, "running", "đã sửa", by="command:test", now=NOW + HOUR)
    assert [closed for _, _, closed in halted(connection)] == [True]
    moved(connection, commands, NOW + HOUR)
    assert commands.given[0] == commands.given[1]
    commands.said["0" * 15 + "2"] = Answer("refused", "remote.commands is off")
    assert moved(connection, commands, NOW + HOUR) == "halted"
    assert [closed for _, _, closed in halted(connection)] == [True, False]
    rollouts.change(connection, number, "stopped", "", by="command:test", now=NOW + HOUR)
    assert [closed for _, _, closed in halted(connection)] == [True, True]
    (row,) = rollouts.status(connection, number)
    assert (row["state"], row["failed"]) == ("stopped", 1)
    deeds = [
        row[0] for row in connection.execute("SELECT deed FROM audit_entry WHERE what LIKE 'rollout:%' ORDER BY id")
    ]
    expected = ["rollout_started", "rollout_halted", "rollout_resumed", "rollout_halted", "rollout_stopped"]
    assert deeds == expected


def test_a_command_that_nobody_answered_is_given_again(connection: psycopg.Connection, devices: list[str]) -> None:
    begun(connection)
    commands = Noted()
    moved(connection, commands, NOW)
    commands.said["0" * 15 + "1"] = Answer("expired")
    moved(connection, commands, NOW + timedelta(days=8))
    assert len(commands.given) == 2
    assert len(set(commands.given)) == 1


def test_devices_are_told_by_a_command(connection: psycopg.Connection, devices: list[str]) -> None:
    begun(connection)
    commands = FleetCommands(connection)
    ((_, decision),) = move_on(connection, commands, NOW, timedelta(days=7))
    (row,) = connection.execute(
        "SELECT d.name, k.name, k.args, k.code FROM device_command k JOIN device d ON d.id = k.device"
    )
    assert ((row[0],), row[1], row[2]["version"]) == (decision.order, "update", "0.2.0")
    assert msgspec.convert(row[2], Args).packages == (OFFER,)
    assert commands.answers([row[3]]) == {row[3]: Answer("waiting")}
    connection.execute("UPDATE device_command SET outcome = 'refused', detail = 'off', replied_at = now()")
    ((_, decision),) = move_on(connection, commands, NOW, timedelta(days=7))
    assert decision.state == "halted"


def ms(at: datetime) -> int:
    return int(at.timestamp() * 1000) + 1


def hears(connection: psycopg.Connection, device: str, version: str, at: datetime) -> list[str]:
    """A device comes in; the versions that it, and others that are there, are told to install."""
    hello = Hello(session="0" * 16, nonce="1" * 16, version=version)
    PresenceStore(connection).heard(device, hello, BROKER, ms(at))
    return [
        due.message.args.version
        for due in FleetTraffic(connection).due([BROKER], ms(at))
        if isinstance(due.message, Command)
    ]


@pytest.mark.parametrize("to", ["halted", "stopped"])
def test_a_device_that_was_away_is_not_told_after_a_halt_or_a_stop(
    connection: psycopg.Connection, devices: list[str], to: Literal["halted", "stopped"]
) -> None:
    commands = FleetCommands(connection)
    number = rollouts.start(connection, AT_ONCE, Choice(everywhere=True), by="command:test", now=NOW)
    move_on(connection, commands, NOW, LASTS)
    assert hears(connection, devices[0], "0.1.0", NOW) == ["0.2.0"]
    if to == "halted":  # by itself
        says(connection, devices[0], "failed", NOW + HOUR)
        move_on(connection, commands, NOW + HOUR, LASTS)
    else:
        rollouts.change(connection, number, to, "it is bad", by="command:test", now=NOW + HOUR)
    assert rollouts.status(connection, number)[0]["state"] == to
    later = NOW + timedelta(days=2)
    assert hears(connection, devices[0], "0.1.0", later) == hears(connection, devices[1], "0.1.0", later) == []
    if to == "halted":
        rollouts.change(connection, number, "running", "", by="command:test", now=later)
    else:
        rollouts.start(connection, AT_ONCE, Choice(everywhere=True), by="command:test", now=later)
    move_on(connection, commands, later, LASTS)
    assert hears(connection, devices[0], "0.1.0", later) == ["0.2.0", "0.2.0"]


def test_more_packages_than_a_command_carries_are_refused_at_the_start(
    connection: psycopg.Connection, devices: list[str]
) -> None:
    offers = [Offer("x86_64", (f"3.{number}",), f"{number:064x}", 1) for number in range(17)]
    with pytest.raises(ConfigError, match="cannot be offered"):
        rollouts.start(connection, PLAN._replace(offers=offers), Choice(everywhere=True), by="command:test", now=NOW)
    assert rollouts.status(connection) == []


def test_devices_that_ran_it_already_prove_nothing(connection: psycopg.Connection, devices: list[str]) -> None:
    hears(connection, devices[0], "0.2.0", NOW)
    connection.execute("UPDATE presence SET until = seen_at, ended = 'silence'")
    number, commands = begun(connection), Noted()
    for hours in (0, 2):  # the first wave is away
        moved(connection, commands, NOW + hours * HOUR)
        assert len(commands.given) == 1
    assert [member["wave"] for member in rollouts.status(connection, number)[0]["members"]] == [0, 1, None]


def test_a_roll_out_of_what_all_run_already_ends(connection: psycopg.Connection, devices: list[str]) -> None:
    for device in devices:
        hears(connection, device, "0.2.0", NOW)
    begun(connection)
    assert moved(connection, Noted(), NOW) == "finished"


def test_a_device_that_was_mended_by_a_stick_has_it(connection: psycopg.Connection, devices: list[str]) -> None:
    number, commands = begun(connection), Noted()
    moved(connection, commands, NOW)
    (first,) = commands.given
    says(connection, first, "failed", NOW + HOUR)
    assert moved(connection, commands, NOW + HOUR) == "halted"
    hears(connection, first, "0.2.0", NOW + 2 * HOUR)
    rollouts.change(connection, number, "running", "mended", by="command:test", now=NOW + 3 * HOUR)
    moved(connection, commands, NOW + 3 * HOUR)
    assert commands.given == [first]
    moved(connection, commands, NOW + 4 * HOUR)
    assert sorted(commands.given) == devices, "it counts as tried"
    _, second, third = commands.given
    hears(connection, second, "0.2.0", NOW + 5 * HOUR)
    commands.said["0" * 15 + "2"] = Answer("refused", "version 0.2.0 is installed already")
    says(connection, third, "applied", NOW + 5 * HOUR)
    assert moved(connection, commands, NOW + 5 * HOUR) == "finished"


def test_what_a_device_without_the_time_tells_counts(connection: psycopg.Connection, devices: list[str]) -> None:
    begun(connection)
    commands = Noted()
    moved(connection, commands, NOW)
    says(connection, commands.given[0], "went_back", NOW + HOUR, behind=timedelta(days=40))
    assert moved(connection, commands, NOW + HOUR) == "halted"
