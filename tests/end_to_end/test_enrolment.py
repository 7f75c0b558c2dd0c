"""From a code on a stick to a play in the hub: every part real, through TLS, on the files that the hub generates."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from limits import RateLimitItemPerMinute
from msgspec.structs import replace

from edge_agent.clock import wall_ms
from edge_agent.identity import renewal
from edge_agent.identity.store import IdentityStore
from edge_agent.tls import Moment
from hub.api import limits
from hub.pki.folder import PkiFolder
from hub.store.registry import import_sites
from simulator.ports import HOST, free_port
from tests.edge_agent.identity.power_cut import Order, driving
from tests.end_to_end.enrolling_hub import ORIGIN, ServingHub, add_device, enrolling_hub, show
from tests.end_to_end.program import AGENT, Program, run
from tests.end_to_end.seen import Seen
from tests.hub.api.serving import register, serving
from tests.hub.people.making import DEMO
from tests.hub.pki.making import MQTT_NAME, make_code
from tests.identity_servers import HubMosquitto, admitted, context, hub_settings
from tests.patience import until


class EnrolledKiosk(Program):
    """`ttdn-agent run` with a configuration that says nothing of hub and device."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.state = folder, folder / "state"
        self.state.mkdir(parents=True)
        self.port = free_port()
        self.config = folder / "agent.toml"
        self.config.write_text(
            f"state_folder = '{self.state}'\nruntime_folder = '{folder}/runtime'\n[outbox]\ncommit_interval_s = 0.1\n"
            f"[bridge]\nenabled = true\nport = {self.port}\norigins = ['{ORIGIN}']\n"
        )
        super().__init__("kiosk", folder / "agent.log", [AGENT, "--config", self.config, "run"])

    def _ready(self) -> bool:
        return "connected" in self.said()


def well(kiosk: EnrolledKiosk) -> set[str]:
    """What the doctor on the kiosk finds well."""
    checks = json.loads(run(AGENT, "--config", kiosk.config, "doctor", "--json").stdout)["checks"]
    return {check["id"] for check in checks if check["outcome"] == "ok"}


@pytest.fixture
def hub(tmp_path: Path, database: str, connection: psycopg.Connection) -> Iterator[ServingHub]:
    with enrolling_hub(tmp_path / "hub", database, connection) as serving:
        yield serving


def test_from_a_code_on_a_stick_to_a_play_in_the_hub(
    hub: ServingHub, connection: psycopg.Connection, tmp_path: Path
) -> None:
    kiosk, stick = EnrolledKiosk(tmp_path / "kiosk"), tmp_path / "stick"
    stick.mkdir()
    added = add_device(hub, "BG-20-CMA", stick / "ttdn.toml")
    device = added["device"]
    before = (stick / "ttdn.toml").read_bytes()
    first_boot: list[str | Path] = [AGENT, "--config", kiosk.config, "first-boot", "--no-mount", "--look", stick]
    done = run(*first_boot)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"thiết bị {device} tại https://localhost" in (stick / "ttdn-ket-qua.txt").read_text("utf-8-sig")
    assert added["code"] not in (stick / "ttdn.toml").read_text()

    (stick / "ttdn.toml").write_bytes(before)
    another = EnrolledKiosk(tmp_path / "another")
    refused = run(AGENT, "--config", another.config, "first-boot", "--no-mount", "--look", stick)
    assert refused.returncode == 1
    assert "Máy chủ không nhận mã" in (stick / "ttdn-ket-qua.txt").read_text("utf-8-sig")

    seen, certificates = Seen(connection, device), "SELECT count(*) FROM certificate"
    road = {"config", "certificate.own", "certificate.authority", "tls", "broker", "receipt"}
    before_start = well(kiosk)
    assert {one if one.startswith("certificate") else one.partition(".")[0] for one in before_start} >= road
    with kiosk:
        show(kiosk.port, "gioi-thieu.mp4")
        until(lambda: seen.contents() == ["gioi-thieu.mp4"], "the play is a row")
        until(lambda: well(kiosk) >= before_start | {"service"}, "the doctor finds the running agent's road well, too")
    assert connection.execute(certificates).fetchone() == (1,)

    outcome = renewal.finish(kiosk.state, Moment(wall_ms(), certain=True))
    assert outcome.error == ""
    assert connection.execute(certificates).fetchone() == (2,)
    store = IdentityStore(kiosk.state)
    assert [one.name for one in store.earlier()] == ["1"]
    with kiosk:
        until(lambda: store.earlier() == [], "the new one has served")
    assert [kind for kind, _ in seen.incidents()] == ["code_misused"], "by the other one"


@pytest.mark.full
def test_power_cuts_before_the_real_hub(
    database: str, connection: psycopg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At every durable operation: one certificate a key at the hub, and one that its broker takes."""
    monkeypatch.setattr(limits, "_ADDRESS_ENROLMENTS", RateLimitItemPerMinute(100_000))
    settings = hub_settings(tmp_path)
    url = f"https://{HOST}:{settings.api.port}"
    pki = settings.pki.model_copy(update={"name": HOST, "mqtt_name": MQTT_NAME, "url": url})
    settings = settings.model_copy(update={"pki": pki})
    pki.broker_folder.mkdir(mode=0o750)
    folder = PkiFolder(pki)
    folder.init(datetime.now(UTC))
    server = pki.folder / "servers" / "https.pem"
    import_sites(connection, DEMO.read_bytes())
    with (
        HubMosquitto(settings) as broker,
        serving(database, port=settings.api.port, pki=pki.model_dump(), cert_file=server, key_file=server),
        driving() as driver,
    ):
        for number in itertools.count(1):
            device, state = f"kiosk-{number}", tmp_path / str(number)
            register(connection, device)
            code = make_code(connection, folder, device, datetime.now(UTC)).code.text()
            enrol = Order("enrol", str(state), url, code)
            ended = [driver.run(replace(enrol, die_before=number)), driver.run(enrol)]
            assert ended[1] == "done", number
            ended.append(driver.run(Order("renew", str(state), die_before=number)))
            store = IdentityStore(state)
            if store.pending() is not None or store.current().name == "1":  # type: ignore[union-attr]
                assert driver.run(Order("renew", str(state))) == "done", number
            query = "SELECT count(*) FROM certificate c JOIN device d ON d.id = c.device WHERE d.name = %s"
            assert connection.execute(query, (device,)).fetchone() == (2,), number
            for one in (store.current(), *store.earlier()):
                assert one is not None
                assert one.hub.device == device
                assert admitted(broker.port, context(folder, one.files)), number
            if ended[0] == ended[2] == "done":
                break
        assert number > 15
