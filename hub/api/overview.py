"""What the page says, without markup: provinces, sites, devices and screens in words. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Final

from hub import strings
from hub.api.incidents import Incident
from hub.api.models import Device, FactsSeen, Screen, Site
from hub.grade import GRADES
from hub.notices.message import KINDS

VIETNAM: Final = timezone(timedelta(hours=7), "ICT")
LADDER: Final = tuple(grade for grade in GRADES if grade != "not_shown")
MOST_INCIDENTS: Final = 20
_LONG_QUEUE_S: Final = 300
_NOT_NOW: Final = ("ended", "last_heard")
_FACTS: Final = ("listed", "reported", "rendering", "panel", "frame")


@dataclass(frozen=True)
class Fact:
    """One observation in words; `value` is `chưa rõ` where nothing was observed."""

    name: str
    value: str
    known: bool


@dataclass(frozen=True)
class ScreenWords:
    """One screen."""

    name: str
    player: str
    content: str
    title: str | None
    """What the catalogue calls that content. None where it is not that, or not known."""
    approval: str | None
    """What style the words of the catalogue have: a verdict; None where there is no catalogue."""
    approval_words: str
    tone: str
    """What style the words have: a grade, `none`, `ended` or `last_heard`. The words say the same."""
    steps: int
    """How many steps of the ladder are reached."""
    verdict: str
    moment: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True)
class DeviceWords:
    """One device."""

    name: str
    title: str
    kind: str
    presence: str
    presence_words: str
    hint: str
    registered: bool
    warnings: tuple[str, ...]
    incidents: tuple[tuple[str, int], ...]
    """Words of each kind that is open, and how many."""
    screens: tuple[ScreenWords, ...]

    @property
    def open_incidents(self) -> int:
        """Of all kinds."""
        return sum(count for _, count in self.incidents)


@dataclass(frozen=True)
class SiteWords:
    """One information point."""

    code: str
    name: str
    gate: str
    devices: tuple[DeviceWords, ...]

    @property
    def open_incidents(self) -> int:
        """Of all its devices."""
        return sum(device.open_incidents for device in self.devices)


@dataclass(frozen=True)
class ProvinceWords:
    """One province."""

    code: str
    name: str
    sites: tuple[SiteWords, ...]


@dataclass(frozen=True)
class IncidentWords:
    """One open incident."""

    number: int
    title: str
    where: str
    subject: str
    since: str
    hand: str
    in_hand: bool


@dataclass(frozen=True)
class Overview:
    """The whole page."""

    moment: str
    incidents: tuple[IncidentWords, ...]
    """The newest open ones."""
    more_incidents: bool
    presence: Mapping[str, int]
    verdicts: tuple[tuple[str, str, int], ...]
    """Tone, words, how many screens."""
    approvals: tuple[tuple[str, str, int], ...]
    """By the catalogue what is being shown now: verdict, words, how many screens."""
    troubled: tuple[SiteWords, ...]
    """Sites with open incidents, those with most first."""
    open_incidents: int
    provinces: tuple[ProvinceWords, ...]
    unregistered: tuple[DeviceWords, ...]
    listening: bool
    """Whether any worker listens on a broker."""


def overview(
    sites: Sequence[Site],
    devices: Sequence[Device],
    incidents: Sequence[Incident],
    live_brokers: Sequence[str],
    now: datetime,
) -> Overview:
    """The page's content at `now`; of the incidents, newest first, it shows `MOST_INCIDENTS`."""
    at_site: dict[str | None, list[DeviceWords]] = defaultdict(list)
    unregistered = []
    for device in devices:
        words = device_words(device, now)
        if device.registered:
            at_site[device.site].append(words)
        else:
            unregistered.append(words)
    every = [*unregistered, *(words for group in at_site.values() for words in group)]
    provinces = _provinces(sites, at_site)
    return Overview(
        moment=f"{now.astimezone(VIETNAM):%H:%M:%S, %d/%m/%Y}",
        incidents=tuple(incident_words(incident, now) for incident in incidents[:MOST_INCIDENTS]),
        more_incidents=len(incidents) > MOST_INCIDENTS,
        presence={state: sum(words.presence == state for words in every) for state in strings.PRESENCE},
        verdicts=_verdicts(every),
        approvals=_approvals(every),
        troubled=_troubled(provinces),
        open_incidents=sum(words.open_incidents for words in every),
        provinces=provinces,
        unregistered=tuple(unregistered),
        listening=bool(live_brokers),
    )


def incident_words(incident: Incident, now: datetime) -> IncidentWords:
    """An open incident in words; a person's name where it is told."""
    by = incident.acknowledged_by
    hand = strings.INCIDENT_WAITS
    if incident.acknowledged_at is not None:
        hand = strings.INCIDENT_IN_HAND_OF.format(name=by) if by else strings.INCIDENT_IN_HAND
    return IncidentWords(
        number=incident.id,
        title=_title(incident.kind),
        where=", ".join(part for part in (incident.device, incident.site_vi) if part),
        subject=incident.subject,
        since=moment(incident.opened_at, now),
        hand=hand,
        in_hand=incident.acknowledged_at is not None,
    )


def _title(kind: str) -> str:
    known = KINDS.get(kind)
    return known.title if known else kind


def device_words(device: Device, now: datetime) -> DeviceWords:
    """A device in words."""
    never = device.seen_at is None and device.last_event_at is None
    heard = device.seen_at or device.last_event_at
    words = strings.PRESENCE_NEVER if never else strings.PRESENCE[device.presence]
    if device.presence != "online" and heard is not None:
        words += f", nghe lần cuối {moment(heard, now)}"
    return DeviceWords(
        name=device.name,
        title=device.title_vi or device.name,
        kind=strings.KINDS.get(device.kind or "", device.kind or ""),
        presence=device.presence,
        presence_words=words,
        hint="" if never else strings.PRESENCE_HINTS[device.presence],
        registered=device.registered,
        warnings=tuple(_warnings(device)),
        incidents=tuple((_title(kind), count) for kind, count in device.open_incidents.items()),
        screens=tuple(screen_words(screen, now) for screen in device.screens),
    )


def screen_words(screen: Screen, now: datetime) -> ScreenWords:
    """A screen in words. Only what a device that is online tells of a running play is said to be so now."""
    since, told = moment(screen.since, now), moment(screen.time, now)
    tone: str
    if screen.showing == "now":
        tone, verdict = screen.grade or "none", strings.GRADES[screen.grade]
        time = f"từ {since}, báo lúc {told}"
    elif screen.showing == "ended":
        tone, verdict = "ended", f"{strings.PLAY_STATUS[screen.status]}; chưa báo nội dung mới"
        time = f"kết thúc lúc {told}"
    else:
        tone, verdict = "last_heard", "Hiện chưa có dữ liệu"
        time = f"lần báo cuối lúc {told}: {strings.GRADES[screen.grade].lower()}"
    reached = screen.grade in LADDER and screen.showing == "now"
    return ScreenWords(
        name=screen.screen,
        player=screen.player,
        content=screen.content_ref,
        title=None if screen.verdict == "altered" else screen.title_vi,
        approval=screen.verdict,
        approval_words=strings.NO_CATALOGUE if screen.verdict is None else strings.VERDICTS[screen.verdict],
        tone=tone,
        steps=LADDER.index(screen.grade) + 1 if reached and screen.grade else 0,
        verdict=verdict,
        moment=time,
        facts=tuple(fact_words(screen.facts)),
    )


def fact_words(facts: FactsSeen) -> Iterable[Fact]:
    """Each observation, also those that were not made."""
    for name in _FACTS:
        words = strings.FACT_VALUES.get((name, getattr(facts, name)))
        yield Fact(strings.FACTS[name], words or strings.UNKNOWN, known=words is not None)


def moment(time: datetime, now: datetime) -> str:
    """Local time; with the day if that is not today."""
    local, today = time.astimezone(VIETNAM), now.astimezone(VIETNAM).date()
    if local.date() == today:
        return f"{local:%H:%M:%S}"
    return f"{local:%H:%M} ngày {local:%d/%m}" if local.year == today.year else f"{local:%H:%M} ngày {local:%d/%m/%Y}"


def _warnings(device: Device) -> Iterable[str]:
    queue = device.queue
    if queue is not None and queue.full:
        yield f"bộ nhớ chờ gửi đã đầy, đã từ chối {queue.refused} bản ghi mới"
    elif queue is not None and queue.oldest_s > _LONG_QUEUE_S:
        waiting = "còn bản ghi" if queue.events is None else f"còn {queue.events} bản ghi"
        yield f"{waiting} chờ gửi, cũ nhất {queue.oldest_s // 60} phút"


def _verdicts(devices: Iterable[DeviceWords]) -> tuple[tuple[str, str, int], ...]:
    counted = Counter(screen.tone for device in devices for screen in device.screens)
    known = [(grade, strings.GRADES[grade]) for grade in reversed(GRADES)]
    other = [("none", strings.GRADES[None]), ("ended", "Đã dừng"), ("last_heard", "Không nghe được thiết bị")]
    return tuple((tone, words, counted[tone]) for tone, words in [*known, *other] if counted[tone])


def _approvals(devices: Iterable[DeviceWords]) -> tuple[tuple[str, str, int], ...]:
    """Of screens of which is known what they show now."""
    screens = [screen for device in devices for screen in device.screens if screen.tone not in _NOT_NOW]
    counted = Counter(screen.approval for screen in screens)
    return tuple((verdict, words, counted[verdict]) for verdict, words in strings.VERDICTS.items() if counted[verdict])


def _troubled(provinces: Iterable[ProvinceWords]) -> tuple[SiteWords, ...]:
    found = [site for province in provinces for site in province.sites if site.open_incidents]
    return tuple(sorted(found, key=lambda site: -site.open_incidents))


def _provinces(sites: Sequence[Site], at_site: Mapping[str | None, Sequence[DeviceWords]]) -> tuple[ProvinceWords, ...]:
    provinces: dict[tuple[str, str], list[SiteWords]] = {}
    for site in sites:
        gate = strings.GATE_TYPES.get(site.gate_type, site.gate_type)
        words = SiteWords(site.code, site.name_vi, gate, tuple(at_site.get(site.code, ())))
        provinces.setdefault((site.province_code, site.province_vi), []).append(words)
    return tuple(ProvinceWords(code, name, tuple(group)) for (code, name), group in provinces.items())
