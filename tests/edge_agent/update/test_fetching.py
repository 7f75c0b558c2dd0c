"""Over the link: in as many pieces as it takes, and nothing that is not signed for this device."""

from __future__ import annotations

import hashlib
import http.client
import http.server
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest

import contract.version
from contract.release import Arch, Offer, Told
from edge_agent.cli.app import main
from edge_agent.draft import Draft
from edge_agent.tls import Moment
from edge_agent.update import fetching, inbox
from edge_agent.update.fetched import Fetched
from edge_agent.update.fetching import PART, Fetching, Source
from edge_agent.update.fitness import here
from edge_agent.update.journal import Notes
from edge_agent.update.orders import Order, Orders
from edge_agent.update.places import INBOX, READY, Places
from edge_agent.update.updates import LOOK_MS, Updates
from hub.releases.keys import make_key
from hub.releases.pack import Wanted, pack
from tests.edge_agent.update.making import NOW, PYTHON, make_wheel, wheels_folder

VERSION = "0.9.0"
_ARCH = msgspec.convert(here().arch, Arch)


class Hub(http.server.ThreadingHTTPServer):
    """Gives one package, as far as the line holds."""

    def __init__(self, data: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.data, self.breaks_after, self.status, self.asked = data, len(data), 0, [""]


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Hub

    def do_GET(self) -> None:
        wanted = self.headers.get("Range", "")
        self.server.asked.append(wanted)
        begin = int(wanted.removeprefix("bytes=").removesuffix("-") or 0)
        self.send_response(self.server.status or (206 if wanted else 200))
        self.send_header("Content-Length", str(len(self.server.data) - begin))
        self.end_headers()
        with suppress(ConnectionError):  # who asked has seen enough
            self.wfile.write(self.server.data[begin : begin + self.server.breaks_after])

    def log_message(self, *_arguments: object) -> None:
        pass


class Plain(Source):
    """Without TLS, which is the identity's business and tested there."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def ask(self, order: Order, have: int) -> tuple[http.client.HTTPSConnection, http.client.HTTPResponse]:
        connection = http.client.HTTPConnection("127.0.0.1", self._hub.server_port, timeout=10)
        headers = {"Range": f"bytes={have}-", "If-Range": f'"{order.sha256}"'} if have else {}
        connection.request("GET", "/", headers=headers)
        return connection, connection.getresponse()  # type: ignore[return-value]


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("package")
    make_key(folder / "release.key", folder / "release.pub")
    make_key(folder / "other.key", folder / "other.pub")
    wheels = folder / "wheels"
    wheels.mkdir()
    make_wheel(wheels, "ttdn_border", VERSION, {"x.txt": "x" * 3_000_000})
    pack(wheels_folder(wheels, VERSION, here().arch, PYTHON), folder / "release.key", folder / "p.ttdn", Wanted(), NOW)
    return folder / "p.ttdn"


@pytest.fixture
def hub(package: Path) -> Iterator[Hub]:
    server = Hub(package.read_bytes())
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def order(package: Path) -> Order:
    data = package.read_bytes()
    return Order(version=VERSION, sha256=hashlib.sha256(data).hexdigest(), bytes=len(data))


def attempt(folder: Path, package: Path, order: Order, hub: Hub, key: str = "release.pub") -> Fetched:
    return Fetching(folder, package.with_name(key), order, Plain(hub)).run()


def test_it_comes_in_pieces(tmp_path: Path, package: Path, order: Order, hub: Hub) -> None:
    hub.breaks_after = 1_500_000
    first = attempt(tmp_path, package, order, hub)
    assert (first.state, first.bytes) == ("again", 1_500_000)
    while (fetched := attempt(tmp_path, package, order, hub)).state == "again":
        assert fetched.bytes
    assert fetched.state == "ready"
    assert (tmp_path / READY).read_bytes() == package.read_bytes()
    assert hub.asked[1:4] == ["", "bytes=1048576-", "bytes=2097152-"], "what may not stand on the card comes again"


def test_a_hub_that_begins_anew_is_followed(tmp_path: Path, package: Path, order: Order, hub: Hub) -> None:
    (tmp_path / PART).write_bytes(bytes(1_048_576))
    assert attempt(tmp_path, package, order, hub).state == "again", "what stood there was not the beginning of it"
    assert attempt(tmp_path, package, order, hub).state == "ready"
    (tmp_path / PART).write_bytes(bytes(1_048_576))
    hub.status = 200
    hub.data = package.read_bytes()
    assert attempt(tmp_path, package, order, hub).state in ("again", "refused")


def test_what_is_not_signed_for_us_ends_after_its_beginning(
    tmp_path: Path, package: Path, order: Order, hub: Hub
) -> None:
    fetched = attempt(tmp_path, package, order, hub, "other.pub")
    assert fetched.state == "refused"
    assert "not signed by the key" in fetched.reason
    assert fetched.bytes < 200_000
    assert not (tmp_path / PART).exists()


def test_a_hub_that_has_it_not_or_not_now(tmp_path: Path, package: Path, order: Order, hub: Hub) -> None:
    for status, state in ((404, "failed"), (503, "again"), (429, "again")):
        hub.status = status
        assert attempt(tmp_path, package, order, hub).state == state


def test_a_card_that_is_too_small_is_said_before(
    tmp_path: Path, package: Path, order: Order, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "room_needed", lambda _manifest: 10**15)
    fetched = attempt(tmp_path, package, order, hub)
    assert (fetched.state, "MB are needed" in fetched.reason) == ("refused", True)


def test_from_a_stick(tmp_path: Path, package: Path) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    (stick / "rubbish.ttdn").write_bytes(b"x" * 5000)
    (stick / "ttdn-agent.ttdn").write_bytes(package.read_bytes())
    found = inbox.find([tmp_path, stick])
    assert found == stick / "ttdn-agent.ttdn"
    with found.open("rb") as source:
        assert inbox.take(source, tmp_path / INBOX, package.with_name("release.pub")).version == VERSION
    assert (tmp_path / INBOX / READY).read_bytes() == package.read_bytes()


def test_what_root_says_is_told_once(tmp_path: Path) -> None:
    places = Places(state=tmp_path)
    notes, told = Notes(tmp_path), Told("went_back", "0.2.0", "0.1.0", "clock")
    notes.add("one", told)
    notes.add("one", told)
    updates = Updates(tmp_path, lambda: Moment(0, certain=False), places=places)
    drafts = updates.tick(0)
    assert [draft.event.detail for draft in drafts] == [told.detail()]  # type: ignore[union-attr]
    assert updates.tick(LOOK_MS) == []
    again = Updates(tmp_path, lambda: Moment(0, certain=False), places=places)
    assert again.tick(0) == []
    notes.add("two", told)
    assert len(again.tick(LOOK_MS)) == 1


def processes(updates: Updates) -> int:
    return 0 if updates._process is None else 1


def test_an_order_outlives_the_agent_and_waits_for_data(tmp_path: Path, order: Order) -> None:
    may = [False]
    updates = Updates(
        tmp_path, lambda: Moment(0, certain=False), may_fetch=lambda: may[0], places=Places(state=tmp_path)
    )
    offers = [Offer("any", ("3.4",), "0" * 64, 1), Offer(_ARCH, (PYTHON,), order.sha256, order.bytes)]
    assert "no package of 0.9.0 for" in updates.take(VERSION, offers[:1])
    assert "installed already" in updates.take(contract.version.VERSION, offers)
    assert updates.take(VERSION, offers) == ""
    assert Orders(tmp_path / INBOX).read() == order
    assert (updates.tick(0), processes(updates)) == ([], 0)
    may[0] = True
    assert (updates.tick(LOOK_MS), processes(updates)) == ([], 1)
    drafts: list[Draft] = []
    while not drafts:
        drafts = updates.tick(2 * LOOK_MS)
    assert "not enrolled" in drafts[0].event.detail  # type: ignore[union-attr]
    assert Orders(tmp_path / INBOX).read() is None


def test_the_command_takes_a_stick(tmp_path: Path, package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "agent.toml"
    config.write_text(f'device = "k1"\nstate_folder = "{tmp_path}/s"\n[[mqtt.brokers]]\nhost = "h"\n')
    (tmp_path / "s").mkdir()
    common = ["--config", str(config), "update", "--state", str(tmp_path), "--wait", "0"]
    assert main([*common, "--key", str(package.with_name("release.pub")), str(package)]) == 0
    assert (tmp_path / "s" / INBOX / READY).exists()
    assert "Đã nhận gói phiên bản 0.9.0" in capsys.readouterr().out
    assert main([*common, "--key", str(package.with_name("other.pub")), str(package)]) == 1
    assert "not signed by the key" in capsys.readouterr().err
    assert main([*common, "/nowhere/missing.ttdn"]) == 1
    assert "no such file" in (said := capsys.readouterr().err)
    assert "sudo" not in said
    assert main([*common, str(tmp_path)]) == 1
