"""Generations on disk: who may read them, what is fallen back to, what goes when."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from edge_agent.errors import AgentError
from edge_agent.identity import keytool
from edge_agent.identity.errors import StepFailed
from edge_agent.identity.keys import Answer, Given, KeytoolFailed, check_certificate, make_key
from edge_agent.identity.steps import Means, go_on
from edge_agent.identity.store import IdentityBusy, IdentityDamaged, IdentityStore, read_identity
from tests.edge_agent.identity.enrolled import certain, enrolled, renewed
from tests.edge_agent.identity.hand_authority import DEVICE, HandAuthority, HandEnrolment


def test_nobody_else_reads_it(hub: HandEnrolment, tmp_path: Path) -> None:
    identity = enrolled(tmp_path, hub)
    store = IdentityStore(tmp_path)
    for path in (store.folder, *store.folder.rglob("*")):
        if not path.is_symlink():
            assert path.stat().st_mode & 0o077 == 0, path
    assert identity.hub.device == DEVICE
    assert identity.hub.release_key == "a key"
    (secret,) = hub.devices
    assert all(secret not in file.read_text() for file in store.folder.rglob("*.json"))


def test_a_newest_that_cannot_be_read_gives_way_to_the_one_before(hub: HandEnrolment, tmp_path: Path) -> None:
    enrolled(tmp_path, hub)
    newest = renewed(tmp_path)
    store = IdentityStore(tmp_path)
    assert [one.name for one in store.earlier()] == ["1"]
    newest.files[1].write_bytes(b"")
    assert read_identity(tmp_path).name == "1"  # type: ignore[union-attr]
    (store.folder / "1" / "hub.json").write_bytes(b"\0" * 100)
    with pytest.raises(IdentityDamaged, match="enrol again"):
        read_identity(tmp_path)


def test_a_link_that_a_damaged_disk_has_lost_is_made_again(hub: HandEnrolment, tmp_path: Path) -> None:
    enrolled(tmp_path, hub)
    link = IdentityStore(tmp_path).folder / "current"
    link.unlink()
    link.symlink_to("rubbish")
    assert read_identity(tmp_path).name == "1"  # type: ignore[union-attr]
    link.unlink()
    assert read_identity(tmp_path).name == "1"  # type: ignore[union-attr]
    with IdentityStore(tmp_path).making():
        assert link.readlink() == Path("1")


def test_earlier_ones_stay_until_the_newest_has_served(hub: HandEnrolment, tmp_path: Path) -> None:
    enrolled(tmp_path, hub)
    renewed(tmp_path)
    store = IdentityStore(tmp_path)
    with store.making():
        store.keep_only("1")
    assert [one.name for one in store.earlier()] == ["1"], "an earlier one that serves takes none away"
    with store.making():
        store.keep_only("2")
    assert store.earlier() == []
    assert renewed(tmp_path).name == "3"


def test_one_of_another_device_is_nothing_to_fall_back_to(hub: HandEnrolment, tmp_path: Path) -> None:
    enrolled(tmp_path, hub)
    assert enrolled(tmp_path, hub, b"87654321", "other").hub.device == "other"
    assert IdentityStore(tmp_path).earlier() == []


def test_two_at_once(tmp_path: Path) -> None:
    store = IdentityStore(tmp_path)
    with store.making(), pytest.raises(IdentityBusy), IdentityStore(tmp_path).making(wait_s=0):
        pass
    handle = os.open(store.folder / "lock", os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(handle)


def test_a_disk_that_refuses_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "identity").write_text("in the way")
    with pytest.raises(AgentError, match="identity"), IdentityStore(tmp_path).making():
        pass


def test_a_step_that_cannot_be_read_is_told_of(tmp_path: Path) -> None:
    store = IdentityStore(tmp_path)
    with store.making():
        pass
    (store.folder / "pending").mkdir()
    (store.folder / "pending" / "step.json").write_bytes(b"{")
    with pytest.raises(IdentityDamaged, match="enrol again"):
        go_on(store, Means(now=certain))


# -- keytool ----------------------------------------------------------------------------------------------------------


def test_keytool_is_a_process_that_refuses_what_does_not_fit(authority: HandAuthority, tmp_path: Path) -> None:
    make_key(tmp_path)
    assert (tmp_path / "key.pem").stat().st_mode & 0o777 == 0o600
    public = keytool._private(tmp_path / "key.pem").public_key()
    well = authority.device(public)
    assert keytool.check(tmp_path, Given(well, authority.pem)).device == DEVICE
    with pytest.raises(KeytoolFailed, match="not signed by"):
        check_certificate(tmp_path, well, HandAuthority("other").pem)
    other = HandAuthority("hand authority")  # of the same name, too
    with pytest.raises(keytool.Unfit, match="not signed by"):
        keytool.check(tmp_path, Given(other.device(public), authority.pem))
    (tmp_path / "other").mkdir()
    assert keytool.answer(["make", str(tmp_path / "other")], b"") == Answer()
    with pytest.raises(keytool.Unfit, match="another key"):
        keytool.check(tmp_path / "other", Given(well, authority.pem))
    with pytest.raises(ValueError, match="PEM"):
        keytool.check(tmp_path, Given("no certificate", authority.pem))


def test_a_certificate_of_another_device_renews_nothing(
    hub: HandEnrolment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrolled(tmp_path, hub)
    certify = hub._certify
    monkeypatch.setattr(hub, "_certify", lambda _device, public: certify("other", public))
    with pytest.raises(StepFailed, match="not of bg-20-cma-k1"):
        renewed(tmp_path)
    assert read_identity(tmp_path).name == "1"  # type: ignore[union-attr]
