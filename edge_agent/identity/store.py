"""Generations of the device's identity on disk, and the step that is under way.

    <state_folder>/identity/           0700
        1/ 2/ ...                      a generation: key.pem certificate.pem authority.pem hub.json
        current -> 2                   swapped by one rename
        pending/                       key.pem request.pem step.json: a key that the hub has or has not certified yet

A generation is written whole beside its place, synced and renamed; then `current` is swapped; then `pending` goes. What
a power cut leaves between these is finished or swept by `recover`. Earlier generations stay until the newest has served
once (`keep_only`), so that a certificate which turns out unusable costs no visit.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from contract.enrol import BrokerAddress
from contract.ids import DeviceId, UnixMs
from edge_agent import durable
from edge_agent.errors import AgentError, AgentFailed

FOLDER: Final = "identity"
KEY: Final = "key.pem"
REQUEST: Final = "request.pem"
CERTIFICATE: Final = "certificate.pem"
AUTHORITY: Final = "authority.pem"
_HUB: Final = "hub.json"
_STEP: Final = "step.json"
_CURRENT: Final = "current"
_PENDING: Final = "pending"
_LOCK: Final = "lock"
_LOCK_POLL_S: Final = 0.1
BUSY_S: Final = 150.0
"""Longer than the hub takes to answer, and shorter than anybody waits."""
log = logging.getLogger(__name__)


class IdentityDamaged(AgentError):
    """What stands on the disk is no identity; enrol again with a new code."""


class IdentityBusy(AgentFailed):
    """Another process is enrolling or renewing; try again when it has ended."""


class HubFacts(Struct, frozen=True, kw_only=True):
    """What came with a certificate, and what it says of itself."""

    device: DeviceId
    brokers: Annotated[tuple[BrokerAddress, ...], Meta(min_length=1)]
    url: str
    not_before_ms: UnixMs
    not_after_ms: UnixMs
    hub_time_ms: UnixMs
    """The hub's time when it gave this certificate: no later moment is before it."""
    release_key: str = ""
    code_used: str = ""
    """`code_mark` of the code that this device was enrolled with."""


class Identity(Struct, frozen=True):
    """One generation, complete."""

    folder: Path
    hub: HubFacts

    @property
    def name(self) -> str:
        """Its number, as a text."""
        return self.folder.name

    @property
    def files(self) -> tuple[Path, Path]:
        """Certificate and key, for TLS."""
        return self.folder / CERTIFICATE, self.folder / KEY

    @property
    def authority(self) -> Path:
        """Who signs the hub's certificates, and signed ours."""
        return self.folder / AUTHORITY

    @property
    def floor_ms(self) -> int:
        """It is this time or later."""
        return max(self.hub.hub_time_ms, self.hub.not_before_ms)


class Step(Struct, frozen=True, kw_only=True):
    """What was begun: enough to go on with it after a power cut, without anybody's help."""

    kind: Literal["enrol", "renew"]
    url: str
    secret: str = ""
    authority: str = ""
    """The code's fingerprint of the authority, in hex."""
    issued_ms: int = 0
    code: str = ""
    """`code_mark` of the code."""


class Pending(Struct, frozen=True):
    """The step under way, with the key and the request that belong to it."""

    folder: Path
    step: Step

    @property
    def key(self) -> Path:
        """The new private key."""
        return self.folder / KEY

    @property
    def authority(self) -> Path:
        """Where the authority is put once it is known to be the code's."""
        return self.folder / AUTHORITY

    def request(self) -> str:
        """The certificate request in PEM."""
        return (self.folder / REQUEST).read_text(encoding="ascii")


class IdentityStore:
    """The identity of the device whose `state_folder` this is. Reading needs no lock; making does."""

    def __init__(self, state_folder: Path) -> None:
        self.folder = state_folder / FOLDER

    @contextmanager
    def making(self, wait_s: float = BUSY_S) -> Iterator[None]:
        """Alone at work, on what is whole. IdentityBusy if another process still is, AgentError if the disk refuses."""
        try:
            if not self.folder.is_dir():
                self.folder.mkdir(mode=0o700, parents=True)
                durable.sync_folder(self.folder.parent)
            handle = os.open(self.folder / _LOCK, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise AgentError(f"{self.folder}: {error.strerror}; run this as root or as the agent's user") from error
        try:
            _lock(handle, self.folder, wait_s)
            self._recover()
            yield
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EROFS, errno.EIO, errno.EACCES, errno.EPERM, errno.EDQUOT):
                raise
            what = f"{error.filename or self.folder}: {error.strerror}"
            raise AgentFailed(f"{what}; check the SD card, its free space and who owns {self.folder}") from error
        finally:
            os.close(handle)

    def current(self) -> Identity | None:
        """The one to use; None if this device was never enrolled. IdentityDamaged if none of them can be read."""
        newest, numbers = self._linked(), self._numbers()
        if not numbers:
            return None
        for number in reversed([one for one in numbers if newest is None or one <= newest]):
            try:
                return self._read(number)
            except IdentityDamaged as error:
                log.error("%s", error)  # noqa: TRY400 - an earlier one may do, and the last one raises
        raise IdentityDamaged(f"{self.folder} holds no readable certificate; enrol again: ttdn-agent enrol URL CODE")

    def earlier(self) -> list[Identity]:
        """Of the same device and kept until the current one has served; newest first."""
        now = self.current()
        if now is None:
            return []
        found = []
        for number in reversed(self._numbers()):
            if number < int(now.name):
                try:
                    found.append(self._read(number))
                except IdentityDamaged as error:
                    log.warning("%s", error)
        return [one for one in found if one.hub.device == now.hub.device]

    def pending(self) -> Pending | None:
        """The step under way."""
        folder = self.folder / _PENDING
        try:
            return Pending(folder, msgspec.json.decode((folder / _STEP).read_bytes(), type=Step))
        except FileNotFoundError:
            return None
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise IdentityDamaged(f"{folder / _STEP}: {error}; remove {folder} and enrol again") from error

    def begin(self, step: Step, make_key: Callable[[Path], None]) -> Pending:
        """Put `step` under way instead of any other; `make_key` puts key and request into a folder."""
        self.drop_pending()
        folder = self.folder / _PENDING
        with durable.new_folder(folder) as half:
            make_key(half)
            durable.write_file(half / _STEP, msgspec.json.encode(step))
        return Pending(folder, step)

    def redirect(self, pending: Pending, step: Step) -> Pending:
        """The same key for `step`, whose address was corrected: the hub may have certified that key already."""
        if step != pending.step:
            durable.replace_file(pending.folder / _STEP, msgspec.json.encode(step))
        return Pending(pending.folder, step)

    def drop_pending(self) -> None:
        """Go back: the step is forgotten, and its key with it."""
        if (self.folder / _PENDING).exists():
            durable.remove_folder(self.folder / _PENDING)

    def install(self, pending: Pending, certificate: str, authority: str, hub: HubFacts) -> Identity:
        """The pending key has become a generation; from here on it is the current one."""
        number = max(self._numbers(), default=0) + 1
        folder = self.folder / str(number)
        with durable.new_folder(folder) as half:
            durable.write_file(half / KEY, pending.key.read_bytes())
            durable.write_file(half / CERTIFICATE, certificate.encode("ascii"))
            durable.write_file(half / AUTHORITY, authority.encode("ascii"))
            durable.write_file(half / _HUB, msgspec.json.encode(hub))
        durable.point(self.folder / _CURRENT, folder.name)
        self.drop_pending()
        return Identity(folder, hub)

    def keep_only(self, name: str) -> None:
        """That generation has served: those before it go. A later one, which has not, stays."""
        for number in self._numbers():
            if number < int(name):
                durable.remove_folder(self.folder / str(number))

    def _recover(self) -> None:
        durable.sweep(self.folder)
        numbers = self._numbers()
        if numbers and self._linked() != numbers[-1]:
            durable.point(self.folder / _CURRENT, str(numbers[-1]))  # it was whole; only the swap was missing
        pending = self.folder / _PENDING / KEY
        if numbers and pending.exists():
            newest = self.folder / str(numbers[-1]) / KEY
            if newest.exists() and newest.read_bytes() == pending.read_bytes():
                self.drop_pending()

    def _linked(self) -> int | None:
        """Where `current` leads; None where a damaged disk has lost it."""
        link = self.folder / _CURRENT
        name = link.readlink().name if link.is_symlink() else ""
        return int(name) if name.isdecimal() else None

    def _numbers(self) -> list[int]:
        if not self.folder.is_dir():
            return []
        return sorted(int(one.name) for one in self.folder.iterdir() if one.name.isdecimal() and one.is_dir())

    def _read(self, number: int) -> Identity:
        folder = self.folder / str(number)
        try:
            hub = msgspec.json.decode((folder / _HUB).read_bytes(), type=HubFacts)
        except PermissionError:
            raise
        except (OSError, UnicodeDecodeError, msgspec.MsgspecError) as error:
            raise IdentityDamaged(f"{folder / _HUB} cannot be used: {error}") from error
        for name in (KEY, CERTIFICATE, AUTHORITY):
            if not (folder / name).is_file() or not (folder / name).stat().st_size:
                raise IdentityDamaged(f"{folder / name} is missing or empty")
        return Identity(folder, hub)


def read_identity(state_folder: Path) -> Identity | None:
    """The identity that the agent uses; None if it was not enrolled. AgentError if it is there but not for us."""
    store = IdentityStore(state_folder)
    try:
        return store.current()
    except PermissionError as error:
        raise AgentError(f"{error.filename}: {error.strerror}; ask as the agent's user, or as root") from error


def _lock(handle: int, folder: Path, wait_s: float) -> None:
    until = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError as error:
            if time.monotonic() >= until:
                what = f"{folder} is in use: this device is being enrolled or renewed now"
                raise IdentityBusy(f"{what}; try again soon") from error
        time.sleep(_LOCK_POLL_S)
