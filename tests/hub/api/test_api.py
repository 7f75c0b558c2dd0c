"""The real server over a real database: what is told, what is refused, and what happens without a database."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import psycopg
import pytest

from contract.events import Facts
from hub.api.app import HEADERS
from hub.api.page import FORM_HEADERS
from hub.api.server import ApiServer
from hub.catalogue.topics import shipped
from hub.errors import HubError
from hub.metrics import HubMetrics
from hub.store.catalogue import Hand, import_contents, import_topics
from hub.store.ledger_store import LedgerStore
from simulator.postgres import EmbeddedPostgres
from tests.hub.api.serving import Api, get, listen, register, serving, settings_for
from tests.hub.catalogue.making import A, contents_file
from tests.hub.making import DEVICE, NOW_MS, STREAM, delivery, loss, play
from tests.hub.people.making import CHEAP, add_token


@pytest.fixture
def client(api: Api, connection: psycopg.Connection) -> Iterator[httpx.Client]:
    """A program that may read everything."""
    token = add_token(connection, "read", "visitors", "metrics", now=datetime.now(UTC))
    with api.client(token.text) as opened:
        yield opened


def test_sites(client: httpx.Client, connection: psycopg.Connection) -> None:
    assert get(client, "/api/v1/sites") == []
    register(connection, DEVICE)
    sites = get(client, "/api/v1/sites")
    assert len(sites) == 29
    (chi_ma,) = (site for site in sites if site["code"] == "BG-20-CMA")
    assert (chi_ma["name_vi"], chi_ma["devices"], chi_ma["lat"]) == ("Chi Ma", 1, 21.8111)


def test_devices_and_what_they_show(client: httpx.Client, store: LedgerStore, connection: psycopg.Connection) -> None:
    register(connection, DEVICE, "silent-one")
    shown = play(2, content_sha256="ab" * 32, facts=Facts(reported=True, rendering=True, panel="on"))
    store.commit([delivery([play(1, screen="side", status="success"), shown], live=True)], [], NOW_MS)
    store.commit([delivery([play(1)], device="stranger", live=True)], [], NOW_MS)
    listen(connection, DEVICE)
    by_name = {device["name"]: device for device in get(client, "/api/v1/devices")}
    assert {name: (device["registered"], device["presence"]) for name, device in by_name.items()} == {
        DEVICE: (True, "online"),
        "silent-one": (True, "unknown"),
        "stranger": (False, "unknown"),
    }
    device = get(client, f"/api/v1/devices/{DEVICE}")
    assert device == by_name[DEVICE]
    assert (device["site_vi"], device["queue"]) == ("Chi Ma", None)
    assert device["last_event_at"] == "2026-09-21T14:13:20.002000Z"
    main, side = device["screens"]
    assert (main["grade"], main["showing"], main["content_sha256"]) == ("panel_on", "now", "ab" * 32)
    assert main["facts"] == {"listed": None, "reported": True, "rendering": True, "panel": "on", "frame": "unknown"}
    assert (side["showing"], side["status"]) == ("ended", "success")
    assert by_name["stranger"]["screens"][0]["showing"] == "last_heard"


def test_plays_by_pages(client: httpx.Client, store: LedgerStore) -> None:
    """Many of the same time, in two streams: each comes once."""
    same_time = [play(seq, time=NOW_MS, slice=seq) for seq in range(1, 8)]
    store.commit([delivery(same_time), delivery(same_time, stream="c3" * 16), delivery([play(8)])], [], NOW_MS)
    path, pages, before = f"/api/v1/devices/{DEVICE}/plays", [], None
    while True:
        page = get(client, path, limit=4, **({"before": before} if before else {}))
        pages.append([(datetime.fromisoformat(item["time"]), item["stream"], item["seq"]) for item in page["plays"]])
        before = page["next"]
        if before is None:
            break
    flat = [item for page in pages for item in page]
    assert [len(page) for page in pages] == [4, 4, 4, 3]
    assert len(set(flat)) == 15
    assert [item[0] for item in flat] == sorted((item[0] for item in flat), reverse=True)
    assert flat[0][1:] == (STREAM, 8)


def test_streams(client: httpx.Client, store: LedgerStore) -> None:
    store.commit([delivery([1, 2, loss(9, (4, 5))])], [], NOW_MS)
    (stream,) = get(client, f"/api/v1/devices/{DEVICE}/streams")
    assert (stream["stream"], stream["events"], stream["committed"]) == (STREAM, 9, [[1, 2], [9, 9]])
    assert (stream["holes"], stream["lost"]) == ([[3, 3], [6, 8]], [[4, 5]])


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/devices/nobody", 404),
        ("/api/v1/devices/nobody/plays", 404),
        ("/api/v1/devices/nobody/streams", 404),
        ("/api/v1/devices/N%00BODY", 422),
        (f"/api/v1/devices/{DEVICE}/plays?limit=0", 422),
        (f"/api/v1/devices/{DEVICE}/plays?limit=501", 422),
        (f"/api/v1/devices/{DEVICE}/plays?before=nonsense", 422),
        (f"/api/v1/devices/{DEVICE}/plays?before=99999999999999999.4294967296.1.1", 422),
        ("/docs", 404),
    ],
)
def test_what_is_refused(client: httpx.Client, store: LedgerStore, path: str, status: int) -> None:
    store.commit([delivery([1])], [], NOW_MS)
    assert client.get(path).status_code == status


def test_a_cursor_at_the_end_of_time(client: httpx.Client, store: LedgerStore) -> None:
    store.commit([delivery([play(1)])], [], NOW_MS)
    far = "99999999999999999.2147483647.9007199254740991.0"
    assert len(get(client, f"/api/v1/devices/{DEVICE}/plays", before=far)["plays"]) == 1


def test_condition(client: httpx.Client, connection: psycopg.Connection) -> None:
    assert get(client, "/healthz") == {"status": "ok"}
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["ready"]) == (503, False)
    assert "no worker listens" in answer.json()["reasons"][0]
    listen(connection)
    assert get(client, "/readyz") == {"ready": True, "reasons": []}
    connection.execute("DELETE FROM migration")
    answer = client.get("/readyz")
    assert (answer.status_code, "ttdn-hub migrate" in answer.text) == (503, True)


def test_metrics(api: Api, client: httpx.Client) -> None:
    api.metrics.events_stored.labels(kind="play").inc(3)
    assert 'ttdn_hub_events_stored_total{kind="play"} 3.0' in client.get("/metrics").text


def test_every_answer_keeps_a_browser_from_doing_anything_else(client: httpx.Client) -> None:
    for path in ("/page.css", "/api/v1/sites", "/nowhere"):
        headers = client.get(path).headers
        assert {name: headers[name] for name in HEADERS} == HEADERS
    for path in ("/", "/login"):
        headers = client.get(path).headers
        assert {name: headers[name] for name in HEADERS} == HEADERS | FORM_HEADERS
    for policy in (HEADERS, FORM_HEADERS):
        assert "unsafe" not in policy["Content-Security-Policy"]
        assert "script" not in policy["Content-Security-Policy"]
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 400


def test_openapi_names_models_and_examples(client: httpx.Client) -> None:
    document = get(client, "/api/v1/openapi.json")
    assert {"/api/v1/sites", "/api/v1/devices/{name}/plays", "/readyz", "/metrics"} <= set(document["paths"])
    assert {"/api/v1/incidents/{id}/acknowledge", "/api/v1/plan/results", "/api/v1/visits"} <= set(document["paths"])
    assert document["components"]["schemas"]["PlanResult"]["properties"]["result"]["examples"] == ["unknown"]
    assert document["components"]["schemas"]["Screen"]["properties"]["grade"]["examples"] == ["panel_on"]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            asks = "security" in operation
            assert asks == (path not in {"/api/v1/login", "/healthz", "/readyz"}), f"{method} {path} lets everybody in"


def test_without_a_database(postgres_server: EmbeddedPostgres, database: str, caplog: pytest.LogCaptureFixture) -> None:
    dead = database.replace(f":{postgres_server.port}/", ":1/")
    with serving(dead) as api, api.client(f"ttdn_{'0' * 12}_{'0' * 64}") as client:
        assert client.get("/healthz").status_code == 200
        ready = client.get("/readyz")
        assert (ready.status_code, "out of reach" in ready.text) == (503, True)
        answer = client.get("/api/v1/sites")
        assert (answer.status_code, answer.json()["detail"]) == (503, "the database is out of reach; try again soon")
        page = client.get("/")
        assert (page.status_code, "chưa kết nối được cơ sở dữ liệu" in page.text) == (503, True)
    password = database.split(":")[2].split("@")[0]
    assert password not in caplog.text


def test_the_api_goes_on_when_its_connections_were_cut(client: httpx.Client, connection: psycopg.Connection) -> None:
    get(client, "/api/v1/sites")
    connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name IN ('ttdn-hub api', 'ttdn-hub people') AND datname = current_database()"
    )
    assert get(client, "/api/v1/sites") == []


def test_what_reads_cannot_write(api: Api) -> None:
    with api.server._pools.reading.connection() as connection, pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        connection.execute("DELETE FROM device")


def test_a_port_that_is_taken(api: Api, database: str) -> None:
    port = int(api.address.rstrip("/").rsplit(":", 1)[1])
    second = ApiServer(settings_for(database, port), HubMetrics(), hashing=CHEAP)
    with pytest.raises(HubError, match=rf"api.port: 127.0.0.1:{port} cannot be used"):
        second.start()
    second.stop()


# -- the page -------------------------------------------------------------------------------------------------------

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>&amp;"


def test_the_page_of_an_empty_hub(client: httpx.Client) -> None:
    page = client.get("/").text
    assert "Chưa có điểm nào" in page
    assert "Trung tâm hiện không nghe kênh nào" in page


def test_the_page_escapes_what_a_device_says(
    client: httpx.Client, store: LedgerStore, connection: psycopg.Connection
) -> None:
    store.commit([delivery([play(1, content_ref=HOSTILE)], live=True)], [], NOW_MS)
    register(connection, DEVICE)
    connection.execute("UPDATE device SET title_vi = %s", (HOSTILE,))
    connection.execute("UPDATE site SET name_vi = %s", (HOSTILE,))
    listen(connection, DEVICE)
    page = client.get("/").text
    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "&amp;amp;" in page


def test_the_page_tells_states_in_words(
    client: httpx.Client, store: LedgerStore, connection: psycopg.Connection
) -> None:
    register(connection, DEVICE, "gone-one", "deaf-one", "never-one")
    frozen = Facts(listed=True, reported=True, rendering=False, panel="on")
    for name in (DEVICE, "gone-one", "deaf-one", "stranger"):
        store.commit([delivery([play(1, content_ref=f"{name}.mp4", facts=frozen)], device=name, live=True)], [], NOW_MS)
    listen(connection, DEVICE, "gone-one")
    connection.execute(
        "UPDATE presence SET seen_at = seen_at - interval '10 min', until = seen_at, ended = 'lost'"
        " WHERE device = (SELECT id FROM device WHERE name = 'gone-one')"
    )
    connection.execute(
        "INSERT INTO presence SELECT id, 'n', 'other:8883', now(), now() FROM device WHERE name = 'deaf-one'"
    )
    page = client.get("/").text
    for words in ("Đang kết nối", "Mất kết nối, nghe lần cuối", "Không rõ kết nối, nghe lần cuối", "Chưa từng kết nối"):
        assert words in page
    assert "Thiết bị chưa đăng ký" in page
    assert "Trình phát báo đang phát" in page
    assert "<b>đứng hình</b>" in page
    assert page.count("Hiện chưa có dữ liệu") == 3
    for site in ("Chi Ma", "Hoành Mô"):
        assert site in page


def test_the_page_tells_what_is_approved_and_what_is_amiss(
    client: httpx.Client, store: LedgerStore, connection: psycopg.Connection
) -> None:
    def show(device: str, ref: str, sha256: str) -> None:
        seq = next(numbers)
        shown = play(seq, content_ref=ref, content_sha256=sha256, facts=Facts(reported=True, rendering=True))
        store.commit([delivery([shown], device=device, live=True)], [], NOW_MS)

    numbers = itertools.count(1)
    register(connection, DEVICE, "bg-20-cma-k2", "bg-20-cma-k3")
    listen(connection, DEVICE, "bg-20-cma-k2", "bg-20-cma-k3")
    show(DEVICE, "le-hoi.mp4", A)
    page = client.get("/").text
    assert "Chưa có danh mục để đối chiếu" in page
    assert '<p class="approval no_catalogue">' in page
    assert "<dt>Sự cố đang mở</dt><dd>0</dd>" in page

    import_topics(connection, shipped())
    hand = Hand("an", datetime.now(UTC))
    row = {"refs": "le-hoi.mp4", "media_sha256": A, "title_vi": "Lễ hội Lồng Tồng", "valid_from": "01/01/2000"}
    import_contents(connection, contents_file(row | {"valid_until": ""}), hand)
    show("bg-20-cma-k2", "le-hoi.mp4", "0b" * 32)
    show("bg-20-cma-k3", "quang-cao.mp4", "0c" * 32)
    page = client.get("/").text
    assert '<p class="content"><bdi>Lễ hội Lồng Tồng</bdi></p>' in page
    assert '<p class="approval approved">Đã phê duyệt</p>' in page
    assert '<p class="approval altered">Khác bản đã duyệt</p>' in page
    assert '<p class="content"><bdi>le-hoi.mp4</bdi></p>' in page, "an altered file is not called by the approved title"
    assert "<dt>Sự cố đang mở</dt><dd>2</dd>" in page
    assert '<a href="#BG-20-CMA">Chi Ma <b>2</b></a>' in page
    assert '<article class="site" id="BG-20-CMA">' in page
    assert "<li>Đang phát nội dung chưa được duyệt: <b>1</b></li>" in page
    told = {one["name"]: one for one in get(client, "/api/v1/devices")}
    assert [told[name]["open_incidents"] for name in sorted(told)] == [
        {},
        {"content_altered": 1},
        {"content_unknown": 1},
    ]
    assert [told[name]["screens"][0]["verdict"] for name in sorted(told)] == ["approved", "altered", "unknown"]
    assert get(client, "/api/v1/devices/bg-20-cma-k3")["open_incidents"] == {"content_unknown": 1}

    connection.execute("UPDATE incident SET closed_at = now(), closed_by = 'an'")
    page = client.get("/").text
    assert "Điểm có sự cố đang mở" not in page
    assert "<dt>Ngoài danh mục đã duyệt</dt><dd>1</dd>" in page, "it is still on the screen"
