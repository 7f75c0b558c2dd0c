"""Roll-outs in the database: begun, halted and ended by people, and moved on by what devices have said.

Commands go out through `Commands`: what a roll-out needs of the hub's commands, and no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Literal, NamedTuple, Protocol

import msgspec
import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from contract.command import Args
from contract.release import Offer, read_detail
from hub.errors import ConfigError
from hub.fleet.rollout import Decision, Member, Rules, decide, waves
from hub.people.deeds import Deed
from hub.store.named import named

Connection = psycopg.Connection[Any]
Row = dict[str, Any]
HALTED: Final = "rollout_halted"
"""The incident: one has halted by itself. It is closed when somebody resumes or stops that roll-out."""
BY_ITSELF = "hub"
"""Who in the audit log, where nobody asked for it."""


class Answer(NamedTuple):
    """What became of a command."""

    outcome: Literal["waiting", "done", "refused", "failed", "expired", "unanswered", "withdrawn"]
    detail: str = ""


class Commands(Protocol):
    """How devices are told."""

    def give(self, device: str, version: str, offers: Sequence[Offer], now: datetime) -> str:
        """Tell a device to fetch and install; the command's code."""

    def answers(self, codes: Sequence[str]) -> dict[str, Answer]:
        """What became of commands."""


class Choice(NamedTuple):
    """Which devices; any that is meant by one of these."""

    names: Sequence[str] = ()
    province: str | None = None
    group: str | None = None
    everywhere: bool = False


class Plan(NamedTuple):
    """What a roll-out is to be."""

    version: str
    offers: Sequence[Offer]
    steps: Sequence[str]
    rules: Rules


def start(connection: Connection, plan: Plan, choice: Choice, *, by: str, now: datetime) -> int:
    """Begin a roll-out; its number. ConfigError if there are no such devices, or another one has them in hand."""
    queries = named("rollouts")
    _check(plan)
    with connection.transaction():
        connection.execute(queries["alone"])
        devices = _targets(connection, choice)
        busy = connection.execute(queries["busy"], {"devices": [device["id"] for device in devices]}).fetchone()
        if busy is not None:
            raise ConfigError(f"{busy[0]} is in roll-out {busy[1]}, which goes on; end it first: ttdn-hub rollout stop")
        given = {
            "version": plan.version,
            "packages": Jsonb(msgspec.to_builtins(list(plan.offers))),
            "steps": list(plan.steps),
            "soak_s": int(plan.rules.soak.total_seconds()),
            "halt_failures": plan.rules.halt_failures,
            "now": now,
            "by": by,
        }
        row = connection.execute(queries["start"], given).fetchone()
        number = int(row[0]) if row is not None else 0
        due = waves(
            [device["name"] for device in devices if device["version"] != plan.version], plan.steps, str(number)
        )
        for device in devices:
            has = device["version"] == plan.version
            added = {"rollout": number, "device": device["id"], "wave": due.get(device["name"]), "has": has, "now": now}
            connection.execute(queries["add_device"], added)
        detail = {"version": plan.version, "devices": len(devices), "steps": list(plan.steps)}
        _note(connection, "rollout_started", number, by, now, detail)
    return number


def change(
    connection: Connection,
    number: int,
    to: Literal["halted", "running", "stopped"],
    reason: str,
    *,
    by: str,
    now: datetime,
) -> None:
    """Halt, resume (devices on which it failed are tried again) or stop. ConfigError if it is not in such a state."""
    allowed = {"halted": ("running",), "running": ("halted",), "stopped": ("running", "halted")}
    deeds: dict[str, Deed] = {"halted": "rollout_halted", "running": "rollout_resumed", "stopped": "rollout_stopped"}
    queries = named("rollouts")
    with connection.transaction():
        row = connection.execute(queries["one"], {"id": number}).fetchone()
        if row is None:
            raise ConfigError(f"there is no roll-out {number}; see: ttdn-hub rollout status")
        if row[1] not in allowed[to]:
            raise ConfigError(f"roll-out {number} is {row[1]}; see: ttdn-hub rollout status")
        connection.execute(queries["set_state"], {"id": number, "state": to, "reason": reason, "now": now})
        if to != "halted":
            connection.execute(queries["close_halted"], {"rollout": number, "kind": HALTED, "now": now})
        if to == "running":
            connection.execute(queries["try_again"], {"rollout": number})
        else:
            _withdraw(connection, number)
        _note(connection, deeds[to], number, by, now, {"version": row[0], "reason": reason})


def move_on(connection: Connection, commands: Commands, now: datetime, lasts: timedelta) -> list[tuple[int, Decision]]:
    """Read what devices have said, and do what follows, for every roll-out that runs; what was decided."""
    with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        running = cursor.execute(named("rollouts")["running"]).fetchall()
        return [(row["id"], _move(connection, row, commands, now, lasts)) for row in running]


def status(connection: Connection, number: int | None = None) -> list[Row]:
    """Roll-outs, newest first; of one also its devices."""
    with connection.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(named("rollouts")["list"], {"id": number}).fetchall()
    if number is not None:
        for row in found:
            row["members"] = _members(connection, number)
    return found


def _check(plan: Plan) -> None:
    """Now, and not when the first device is to be told."""
    args = {"version": plan.version, "packages": msgspec.to_builtins(list(plan.offers))}
    try:
        msgspec.convert(args, Args)
    except msgspec.ValidationError as error:
        raise ConfigError(f"version {plan.version} cannot be offered to devices: {error}") from error


def _targets(connection: Connection, choice: Choice) -> list[Row]:
    given = {
        "names": list(choice.names),
        "province": choice.province,
        "group": choice.group,
        "all": choice.everywhere,
    }
    with connection.cursor(row_factory=dict_row) as cursor:
        devices = cursor.execute(named("rollouts")["targets"], given).fetchall()
    if missing := sorted(set(choice.names) - {device["name"] for device in devices}):
        raise ConfigError(f"no registered device {', '.join(missing)}; see: ttdn-hub registry list devices")
    if not devices:
        raise ConfigError("no registered device is meant by that; see: ttdn-hub registry list devices")
    return devices


def _move(connection: Connection, row: Row, commands: Commands, now: datetime, lasts: timedelta) -> Decision:
    _take_told(connection, row["id"])
    members = _members(connection, row["id"])
    answers = commands.answers([member["code"] for member in members if member["code"] and member["fate"] is None])
    _take_answers(connection, row["id"], members, answers, now)
    members = _members(connection, row["id"])
    rules = Rules(timedelta(seconds=row["soak_s"]), row["halt_failures"])
    tried = [member for member in members if member["wave"] is not None]
    decision = decide([_member(member, answers, now, lasts) for member in tried], row["wave"], rules, now)
    _carry_out(connection, row, members, decision, commands, now)
    return decision


def _carry_out(
    connection: Connection, row: Row, members: Sequence[Row], decision: Decision, commands: Commands, now: datetime
) -> None:
    queries = named("rollouts")
    ids = {member["device"]: member["id"] for member in members}
    offers = msgspec.convert(row["packages"], list[Offer])
    for device in decision.order:
        code = commands.give(device, row["version"], offers, now)
        connection.execute(queries["ordered"], {"rollout": row["id"], "device": ids[device], "code": code, "now": now})
    given = {"id": row["id"], "state": decision.state, "reason": decision.reason, "wave": decision.wave, "now": now}
    connection.execute(queries["change"], given)
    if decision.state == "halted":
        _withdraw(connection, row["id"])
        detail = {"version": row["version"], "reason": decision.reason}
        _note(connection, "rollout_halted", row["id"], BY_ITSELF, now, detail)
        raised = {"kind": HALTED, "rollout": row["id"], "now": now, "detail": Jsonb({"rollout": row["id"], **detail})}
        connection.execute(queries["raise_halted"], raised)


def _withdraw(connection: Connection, number: int) -> None:
    """What devices have not answered is not sent to them any more, were they away for a week."""
    for query in ("withdraw", "never_told"):
        connection.execute(named("rollouts")[query], {"rollout": number})


def _take_told(connection: Connection, number: int) -> None:
    for device, detail, stored_at in connection.execute(named("rollouts")["told"], {"rollout": number}).fetchall():
        told = read_detail(detail)
        if told is not None:
            _end(connection, number, device, told.fate, told.reason, stored_at)


def _take_answers(
    connection: Connection, number: int, members: Sequence[Row], answers: dict[str, Answer], now: datetime
) -> None:
    """A device that does not take the command at all will not say anything else of it."""
    not_taken = [code for code, answer in answers.items() if answer.outcome in ("refused", "failed")]
    connection.execute(named("rollouts")["runs_it"], {"rollout": number, "not_taken": not_taken, "now": now})
    for member in members:
        answer = answers.get(member["code"] or "")
        if member["fate"] is None and answer is not None and answer.outcome in ("refused", "failed"):
            _end(connection, number, member["id"], answer.outcome, answer.detail, now)


def _end(connection: Connection, number: int, device: int, fate: str, detail: str, at: datetime) -> None:
    given = {"rollout": number, "device": device, "fate": fate, "detail": detail, "at": at}
    connection.execute(named("rollouts")["ended"], given)


def _member(row: Row, answers: dict[str, Answer], now: datetime, lasts: timedelta) -> Member:
    answer = answers.get(row["code"] or "")
    gone = answer is not None and answer.outcome in ("expired", "unanswered", "withdrawn")
    ordered = row["ordered_at"] is not None and not gone and now - row["ordered_at"] < 4 * lasts
    return Member(row["device"], row["wave"], ordered, row["online"], row["fate"], row["ended_at"])


def _members(connection: Connection, number: int) -> list[Row]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(named("rollouts")["members"], {"rollout": number}).fetchall()


def _note(connection: Connection, deed: Deed, number: int, by: str, now: datetime, detail: Row) -> None:
    given = {"now": now, "who": by, "deed": deed, "what": f"rollout:{number}", "detail": Jsonb(detail)}
    connection.execute(named("rollouts")["note"], given)
