from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from contract.events import Interaction
from edge_agent.bridge import Bridge
from edge_agent.bridge_rules import (
    REFUSALS,
    BridgeError,
    BridgeSettings,
    NotAccepted,
)
from edge_agent.draft import Draft
from edge_agent.observation import Content, Showing
from edge_agent.reception import Reception
from tests.patience import DEADLINE_S, until

ORIGIN = "http://127.0.0.1:8080"
SCRIPT = Path(__file__).parents[2] / "edge_agent" / "web" / "ttdn.js"
PAGE = {"type": "page_view", "target": "thu-tuc", "touched": True}
SETTINGS = BridgeSettings(port=0, origins=(ORIGIN, "null"), request_s=30, burst_messages=1000)


class Kiosk:
    """A bridge with what it handed over. `full` makes the outbox refuse, `gate` makes it wait."""

    def __init__(self, settings: BridgeSettings = SETTINGS) -> None:
        self.now_ms = 0
        self.drafts: list[Draft] = []
        self.showings: list[Showing] = []
        self.full = False
        self.gate = threading.Event()
        self.gate.set()
        self.waiting = threading.Event()
        reception = Reception(settings, accept=self._accept, show=self.showings.append, now_ms=lambda: self.now_ms)
        self.bridge = Bridge(settings, reception)
        self.bridge.start()

    def _accept(self, drafts: list[Draft]) -> None:
        self.waiting.set()
        self.gate.wait(DEADLINE_S)
        if self.full:
            raise NotAccepted("the outbox is full")
        self.drafts += drafts

    @property
    def actions(self) -> list[str]:
        return [draft.event.action for draft in self.drafts if isinstance(draft.event, Interaction)]

    def request(
        self, method: str = "POST", path: str = "/v1/visits", body: Any = None, **headers: str | None
    ) -> tuple[int, Any, dict[str, str]]:
        """Status, decoded answer and headers; a header of value None is left out."""
        sent: dict[str, str | None] = {"Origin": ORIGIN}
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        if data is not None:
            sent |= {"Content-Type": "application/json", "Content-Length": str(len(data))}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", self.bridge.port, timeout=DEADLINE_S)
        with contextlib.closing(connection):
            connection.putrequest(method, path, skip_host="Host" in sent)
            for name, value in sent.items():
                if value is not None:
                    connection.putheader(name, value)
            connection.endheaders(data)
            answer = connection.getresponse()
            content = answer.read()
        is_json = answer.getheader("Content-Type") == "application/json"
        return answer.status, json.loads(content) if is_json else content, dict(answer.getheaders())

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.bridge.port), timeout=DEADLINE_S)


@pytest.fixture
def kiosk() -> Iterator[Kiosk]:
    kiosk = Kiosk()
    yield kiosk
    kiosk.gate.set()
    kiosk.bridge.close()


def test_a_visit_is_taken(kiosk: Kiosk) -> None:
    status, answer, headers = kiosk.request(body=PAGE)
    assert (status, answer) == (200, {"taken": 1})
    assert headers["Access-Control-Allow-Origin"] == ORIGIN
    assert kiosk.actions == ["session_start"]
    kiosk.now_ms = 5_000
    assert kiosk.request(body=[{"type": "feedback", "rating": 4, "touched": True}, {"type": "end"}])[0] == 200
    assert kiosk.actions == ["session_start", "feedback", "page_view", "session_end"]
    assert kiosk.bridge.counts() == {"messages": 3, "repeated": 0}


def test_200_is_answered_only_after_the_events_are_durable(kiosk: Kiosk) -> None:
    kiosk.gate.clear()
    answers: list[int] = []
    thread = threading.Thread(target=lambda: answers.append(kiosk.request(body=PAGE)[0]))
    thread.start()
    assert kiosk.waiting.wait(DEADLINE_S)
    assert answers == []
    assert kiosk.request("GET", "/healthz")[0] == 200  # meanwhile others are answered
    kiosk.bridge.tick()  # and the agent's loop does not wait
    kiosk.gate.set()
    thread.join(DEADLINE_S)
    assert answers == [200]
    assert kiosk.actions == ["session_start"]


def test_what_was_not_accepted_has_not_happened_and_is_taken_later(kiosk: Kiosk) -> None:
    kiosk.full = True
    status, answer, headers = kiosk.request(body=PAGE | {"id": 7})
    assert (status, answer["error"]) == (503, "not_accepted")
    assert "the outbox is full" in answer["detail"]
    assert headers["Retry-After"] == "1"
    kiosk.full = False
    assert kiosk.request(body=PAGE | {"id": 7})[1] == {"taken": 1}
    assert kiosk.request(body=PAGE | {"id": 7})[1] == {"taken": 0}  # its answer was lost on the way
    assert kiosk.actions == ["session_start"]
    assert kiosk.bridge.counts() == {"not_accepted": 1, "messages": 1, "repeated": 1}


def test_ticks_and_close_end_what_nobody_ended() -> None:
    kiosk = Kiosk()
    try:
        kiosk.request(body=[PAGE, {"type": "display", "content_ref": "a.mp4", "playing": True}])
        kiosk.now_ms = 60_000
        kiosk.full = True
        kiosk.bridge.tick()
        assert kiosk.actions == ["session_start"]
        kiosk.full = False
        kiosk.bridge.tick()
        assert kiosk.actions == ["session_start", "page_view", "session_end"]
        assert [showing.content for showing in kiosk.showings] == [Content("a.mp4"), None]
        kiosk.request(body=[PAGE, {"type": "display", "content_ref": "b.mp4", "playing": True}])
    finally:
        kiosk.bridge.close()
    assert kiosk.actions[-1] == "session_end"
    assert kiosk.showings[-1].content is None


def test_age_tells_when_it_happened(kiosk: Kiosk) -> None:
    kiosk.now_ms = 100_000
    kiosk.request(body=PAGE | {"age_ms": 40_000})
    assert kiosk.drafts[0].at_ms == 60_000


def test_displays_become_showings(kiosk: Kiosk) -> None:
    display = {"type": "display", "content_ref": "clip.mp4", "playing": True, "visible": True}
    kiosk.request(body=display | {"position_ms": 0})
    kiosk.now_ms = 5_000
    assert kiosk.request(body=display | {"position_ms": 5_000})[0] == 200
    kiosk.request(body=display | {"position_ms": 1_000, "age_ms": 4_000})  # overtaken: says nothing new
    assert [(showing.at_ms, showing.rendering) for showing in kiosk.showings] == [(0, None), (5_000, True)]
    assert kiosk.drafts == []


def test_the_script(kiosk: Kiosk) -> None:
    status, script, headers = kiosk.request("GET", "/ttdn.js?v=1", Origin=None)
    assert (status, script) == (200, SCRIPT.read_bytes())
    assert headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert kiosk.request("GET", "/ttdn.js", Origin=None, If_None_Match=headers["ETag"])[0] == 304


def test_health_says_nothing_else(kiosk: Kiosk) -> None:
    assert kiosk.request("GET", "/healthz", Origin=None)[:2] == (200, {"status": "ok"})


def test_preflight(kiosk: Kiosk) -> None:
    status, body, headers = kiosk.request("OPTIONS", Access_Control_Request_Method="POST", Origin="null")
    assert (status, body) == (204, b"")
    assert headers["Access-Control-Allow-Origin"] == "null"
    assert headers["Access-Control-Allow-Methods"] == "POST"
    assert headers["Access-Control-Allow-Headers"] == "content-type"
    assert headers["Vary"] == "Origin"


@pytest.fixture(scope="module")
def refusing() -> Iterator[Kiosk]:
    kiosk = Kiosk()
    yield kiosk
    kiosk.bridge.close()


REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("host", {"body": PAGE, "Host": "kiosk.example:{port}"}),
    ("host", {"body": PAGE, "Host": "127.0.0.1:1"}),
    ("host", {"method": "GET", "path": "/ttdn.js", "Host": "attacker.example"}),
    ("host", {"method": "GET", "path": "/healthz", "Host": "127.0.0.1"}),
    ("origin", {"body": PAGE, "Origin": "http://127.0.0.1:8081"}),
    ("origin", {"body": PAGE, "Origin": "https://attacker.example"}),
    ("origin", {"body": PAGE, "Origin": None}),
    ("origin", {"method": "OPTIONS", "Origin": "https://attacker.example"}),
    ("path", {"method": "GET", "path": "/"}),
    ("path", {"method": "GET", "path": "/../etc/passwd"}),
    ("path", {"body": PAGE, "path": "/v1/visits/"}),
    ("method", {"method": "GET"}),
    ("method", {"method": "PUT", "body": PAGE}),
    ("method", {"method": "POST", "path": "/ttdn.js", "body": PAGE}),
    ("content_type", {"body": PAGE, "Content_Type": "text/plain"}),
    ("content_type", {"body": PAGE, "Content_Type": None}),
    ("chunked", {"body": PAGE, "Transfer_Encoding": "chunked"}),
    ("length", {"body": PAGE, "Content_Length": None}),
    ("length", {"body": PAGE, "Content_Length": "-1"}),
    ("too_large", {"body": b" " * 4097}),
    ("too_large", {"body": PAGE, "Content_Length": "99999999999"}),
    ("too_large", {"body": PAGE, "X_Padding": "a" * 30_000}),
    ("malformed", {"body": b""}),
    ("malformed", {"body": b'{"type": "end"'}),
    ("malformed", {"body": b'{"type": "end", "\xff": 1}'}),
    ("message", {"body": b"[" * 4096}),
    ("message", {"body": []}),
    ("message", {"body": [{"type": "end"}] * 17}),
    ("message", {"body": {"type": "name", "name": "Nguyen Van A"}}),
    ("message", {"body": PAGE | {"name": "Nguyen Van A"}}),
    ("message", {"body": {"type": "search_used", "query": "visa"}}),
    ("message", {"body": PAGE | {"target": "Nguyen Van A"}}),
    ("message", {"body": PAGE | {"target": "a" * 65}}),
    ("message", {"body": PAGE | {"target": "a@b.vn"}}),
    ("message", {"body": {"type": "feedback", "rating": 6}}),
    ("message", {"body": {"type": "feedback", "rating": "5"}}),
    ("name", {"body": PAGE | {"target": "0912345678"}}),
    ("name", {"body": PAGE | {"target": "0912-345-678"}}),
    ("name", {"body": [PAGE, PAGE | {"target": "b1234567"}]}),
    ("language", {"body": {"type": "language", "language": "fr"}}),
    ("content_ref", {"body": {"type": "display", "content_ref": "nguyen@example.vn"}}),
    ("content_ref", {"body": {"type": "display", "content_ref": "clip.mp4?name=A"}}),
]


@pytest.mark.parametrize(("code", "request_"), REFUSED)
def test_refusals_say_why_and_are_counted(refusing: Kiosk, code: str, request_: dict[str, Any]) -> None:
    kiosk, before = refusing, Counter(refusing.bridge.counts())
    request_ = {name: _with_port(value, kiosk.bridge.port) for name, value in request_.items()}
    status, answer, headers = kiosk.request(**request_)
    assert (status, answer["error"]) == (REFUSALS[code][0], code)
    assert answer["detail"].startswith(REFUSALS[code][1])
    allowed = None if request_.get("Origin", ORIGIN) != ORIGIN or "X_Padding" in request_ else ORIGIN
    assert headers.get("Access-Control-Allow-Origin") == allowed
    assert Counter(kiosk.bridge.counts()) - before == Counter({code: 1})
    assert kiosk.drafts == []


def _with_port(value: Any, port: int) -> Any:
    return value.format(port=port) if isinstance(value, str) else value


def test_what_is_no_http_is_refused(kiosk: Kiosk) -> None:
    with kiosk.connect() as connection:
        connection.sendall(b"\x16\x03\x01 hello there dear agent\r\n\r\n")
        assert b'"error":"http"' in _all_of(connection)
    assert kiosk.bridge.counts() == {"http": 1}


def _all_of(connection: socket.socket) -> bytes:
    received = b""
    while chunk := connection.recv(4096):
        received += chunk
    return received


def test_a_flood_is_refused_and_others_origins_cannot_cause_one() -> None:
    kiosk = Kiosk(msgspec.structs.replace(SETTINGS, burst_messages=20, messages_per_s=1))
    try:
        for _ in range(50):
            assert kiosk.request(body=PAGE, Origin="https://attacker.example")[0] == 403
        statuses = [kiosk.request(body=[PAGE] * 10)[0] for _ in range(5)]
        assert statuses[:2] == [200, 200]
        assert 429 in statuses
        assert kiosk.bridge.counts()["flood"] == statuses.count(429)
    finally:
        kiosk.bridge.close()


def test_slow_clients_give_way_to_one_who_waits(kiosk: Kiosk) -> None:
    with contextlib.ExitStack() as stack:
        for number in range(2 * SETTINGS.connections):
            connection = stack.enter_context(kiosk.connect())
            connection.sendall(b"POST /v1/visits HTTP/1.1\r\nHost: 127.0.0.1\r\n")
            if number >= SETTINGS.connections:
                until(lambda reached=number: kiosk.bridge.counts().get("evicted", 0) > reached - SETTINGS.connections)  # type: ignore[misc]
        assert kiosk.request(body=PAGE)[0] == 200
        assert threading.active_count() < 2 * SETTINGS.connections + 10
    assert kiosk.actions == ["session_start"]


def test_a_client_has_one_deadline_for_its_request() -> None:
    kiosk = Kiosk(msgspec.structs.replace(SETTINGS, request_s=0.2))
    try:
        with kiosk.connect() as dripping, kiosk.connect() as silent:
            with contextlib.suppress(ConnectionError):  # the bridge hangs up in the middle
                for _ in range(1000):
                    dripping.sendall(b"P")
                    if kiosk.bridge.counts().get("slow"):
                        break
                    time.sleep(0.05)
            until(lambda: kiosk.bridge.counts().get("slow") == 1)
            assert _all_of(silent) == b""  # a browser's connection in advance: no refusal, not counted
        assert kiosk.bridge.counts() == {"slow": 1}
    finally:
        kiosk.bridge.close()


def test_more_at_the_same_time_than_there_are_connections_is_refused() -> None:
    kiosk = Kiosk(msgspec.structs.replace(SETTINGS, connections=1))
    try:
        kiosk.gate.clear()
        thread = threading.Thread(target=kiosk.request, kwargs={"body": PAGE})
        thread.start()
        assert kiosk.waiting.wait(DEADLINE_S)
        with kiosk.connect() as connection:
            assert b'"error":"busy"' in _all_of(connection)
        assert kiosk.bridge.counts() == {"busy": 1}
        kiosk.gate.set()
        thread.join(DEADLINE_S)
    finally:
        kiosk.gate.set()
        kiosk.bridge.close()


def test_a_client_that_leaves_costs_nothing(kiosk: Kiosk) -> None:
    with kiosk.connect() as connection:
        connection.sendall(b"POST /v1/visits HTTP/1.1\r\nHost: 127")
    until(lambda: kiosk.bridge.counts() == {"gone": 1})


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.168.1.4", "localhost", ""])
def test_only_loopback_addresses_are_bound(address: str) -> None:
    with pytest.raises(BridgeError, match=r"127\.0\.0\.1 or ::1"):
        Bridge(msgspec.structs.replace(SETTINGS, address=address), _reception())


def test_ipv6_loopback() -> None:
    bridge = Bridge(msgspec.structs.replace(SETTINGS, address="::1"), _reception())
    bridge.start()
    try:
        assert bridge.url == f"http://[::1]:{bridge.port}"
        connection = http.client.HTTPConnection("::1", bridge.port, timeout=DEADLINE_S)
        with contextlib.closing(connection):
            connection.request("GET", "/healthz")
            assert connection.getresponse().status == 200
    finally:
        bridge.close()


def test_a_port_in_use_is_a_clear_error(kiosk: Kiosk) -> None:
    with pytest.raises(BridgeError, match=r"Set bridge\.port"):
        Bridge(msgspec.structs.replace(SETTINGS, port=kiosk.bridge.port), _reception())


def _reception() -> Reception:
    def accept(drafts: list[Draft]) -> None:
        raise AssertionError(drafts)

    return Reception(SETTINGS, accept=accept, show=lambda showing: None, now_ms=lambda: 0)
