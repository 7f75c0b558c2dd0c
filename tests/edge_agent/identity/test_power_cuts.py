"""Power off at every durable operation of enrolment and of renewal: the next start ends with one certificate."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from contract.enrol_code import EnrolCode
from edge_agent.identity.store import IdentityStore
from tests.edge_agent.identity.hand_authority import HandEnrolment, _der
from tests.edge_agent.identity.power_cut import Driver, Order, driving

LEAST = 15
"""Operations of a step: fewer would say that the test counts the wrong ones."""


@pytest.fixture(scope="module")
def driver() -> Iterator[Driver]:
    with driving() as process:
        yield process


def is_whole(folder: Path, hub: HandEnrolment, device: str) -> bool:
    """There is a current identity, nothing is left over, and its certificate is the last that the hub gave."""
    store = IdentityStore(folder)
    identity = store.current()
    assert identity is not None
    certificate = x509.load_pem_x509_certificate(identity.files[0].read_bytes())
    key = serialization.load_pem_private_key(identity.files[1].read_bytes(), None)
    with store.making():
        left = sorted(path.name for path in store.folder.iterdir() if not path.name.isdecimal())
    assert left == ["current", "lock"]
    assert identity.hub.device == device
    assert _der(certificate.public_key()) == _der(key.public_key()) == hub.keys[device][-1]
    return True


def code_for(hub: HandEnrolment, number: int) -> tuple[EnrolCode, str]:
    device = f"kiosk-{number}"
    return hub.add(hub.authority.code(number.to_bytes(8, "big")), device), device


def test_enrolment_cut_anywhere(hub: HandEnrolment, driver: Driver, tmp_path: Path) -> None:
    for number in itertools.count(1):
        code, device = code_for(hub, number)
        folder = tmp_path / device
        order = Order("enrol", str(folder), hub.url, code.text(), number)
        ended = driver.run(order)
        if ended == "done":
            break
        assert ended == "killed"
        if IdentityStore(folder).pending() is not None:
            assert driver.run(Order("renew", str(folder))) == "done", number  # what the agent's next start does
        elif IdentityStore(folder).current() is None:
            # nothing is known of it yet but to whoever holds the code: the person who typed it, or ttdn.toml
            assert driver.run(Order("enrol", str(folder), hub.url, code.text())) == "done"
        assert is_whole(folder, hub, device), number
        assert len(hub.keys[device]) == 1
    assert number > LEAST
    asked = len(hub.asked)
    assert driver.run(Order("enrol", str(folder), hub.url, code.text())) == "done"
    assert len(hub.asked) == asked, "the code is known as the one that was used, and nobody is asked again"


def test_renewal_cut_anywhere(hub: HandEnrolment, driver: Driver, tmp_path: Path) -> None:
    code, device = code_for(hub, 1)
    assert driver.run(Order("enrol", str(tmp_path / "enrolled"), hub.url, code.text())) == "done"
    for number in itertools.count(1):
        folder = tmp_path / str(number)
        shutil.copytree(tmp_path / "enrolled", folder, symlinks=True)
        keys = len(hub.keys[device])
        ended = driver.run(Order("renew", str(folder), die_before=number))
        if ended == "done":
            break
        assert ended == "killed"
        before = IdentityStore(folder).current()
        assert before is not None, "the agent connects meanwhile"
        if before.name == "1" or IdentityStore(folder).pending() is not None:  # it is due, or under way
            assert driver.run(Order("renew", str(folder))) == "done"
        assert is_whole(folder, hub, device), number
        assert len(hub.keys[device]) == keys + 1, "no key is thrown away that the hub has certified"
    assert number > LEAST


def test_root_leaves_it_to_the_agents_user(hub: HandEnrolment, driver: Driver, tmp_path: Path) -> None:
    """In the driver's process: the interpreter of a checkout may be closed to other users, an installed one is not."""
    state = tmp_path / "state"
    state.mkdir()
    if os.geteuid() == 0:
        os.chown(state, 65534, 65534)
        for folder in (tmp_path, *tmp_path.parents[:-2]):
            folder.chmod(folder.stat().st_mode | 0o011)
    code, device = code_for(hub, 1)
    order = Order("enrol", str(state), hub.url, code.text(), become_owner=True)
    assert driver.run(order) == "done"
    assert {path.lstat().st_uid for path in state.rglob("*")} == {state.stat().st_uid}
    assert is_whole(state, hub, device)
