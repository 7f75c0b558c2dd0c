"""One attempt to fetch the ordered package, as a process of its own: the agent's recording waits for nothing.

    python -m edge_agent.update.fetching STATE_FOLDER KEY_FILE TIME_MS certain|floor

What has come stays, whatever ends the process, and the next attempt asks for the rest (Range, If-Range). Signature and
fitness are checked as soon as the beginning is there: a package that is not for this device costs 70 kB, not 20 MB.
It answers with one line of JSON, `Fetched`.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import ssl
import sys
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from contract.package import MAX_HEAD_BYTES, read_head
from contract.release import UPDATES_PATH, PackageError
from edge_agent.errors import AgentError
from edge_agent.identity.hub_link import parse_url
from edge_agent.identity.store import read_identity
from edge_agent.tls import Moment, client_context
from edge_agent.update import inbox
from edge_agent.update.errors import Refused
from edge_agent.update.fetched import Fetched
from edge_agent.update.fitness import here, no_room, room_needed, unfit
from edge_agent.update.orders import Order, Orders
from edge_agent.update.places import INBOX
from edge_agent.update.signature import verify

TIMEOUT_S: Final = 60.0
PART: Final = "fetched.part"
_CHUNK: Final = 64 * 1024
_DURABLE_BYTES: Final = 1024 * 1024
"""So often what has come is made to stand on the card; what came after that is asked for again after a power cut."""
_GONE: Final = (http.client.NOT_FOUND, http.client.GONE, http.client.FORBIDDEN)


class Source:
    """Where packages come from: the hub, verified against the authority of this device's identity."""

    def __init__(self, url: str, context: ssl.SSLContext) -> None:
        self._address, self._context = parse_url(url), context

    def ask(self, order: Order, have: int) -> tuple[http.client.HTTPSConnection, http.client.HTTPResponse]:
        """Ask for the rest. OSError or HTTPException where nobody answers."""
        host, port = self._address
        connection = http.client.HTTPSConnection(host, port, timeout=TIMEOUT_S, context=self._context)
        headers = {"Range": f"bytes={have}-", "If-Range": f'"{order.sha256}"'} if have else {}
        connection.request("GET", UPDATES_PATH + order.sha256, headers=headers)
        return connection, connection.getresponse()


class Fetching:
    """One attempt."""

    def __init__(self, folder: Path, key: Path, order: Order, source: Source) -> None:
        self._part, self._key, self._order, self._source = folder / PART, key, order, source
        self._came = 0

    def run(self) -> Fetched:
        """Fetch what is missing, check and hand over."""
        try:
            have = self._resume()
            if have < self._order.bytes:
                self._fetch(have)
            self._finish()
        except (Refused, PackageError) as error:
            self._part.unlink(missing_ok=True)
            return Fetched("refused", str(error), self._came)
        except _Gone as error:
            return Fetched("failed", str(error), self._came)
        except (OSError, http.client.HTTPException) as error:
            return Fetched("again", str(error) or type(error).__name__, self._came)
        return Fetched("ready", "", self._came)

    def _resume(self) -> int:
        """How much there is and certainly stands on the card."""
        try:
            length = self._part.stat().st_size
        except FileNotFoundError:
            return 0
        safe = length if length == self._order.bytes else length - length % _DURABLE_BYTES
        os.truncate(self._part, safe)
        return safe

    def _fetch(self, have: int) -> None:
        connection, answer = self._source.ask(self._order, have)
        try:
            if answer.status in _GONE:
                raise _Gone(f"the hub does not give the package: HTTP {answer.status}")
            if answer.status == http.client.OK:
                have = 0
            elif answer.status != http.client.PARTIAL_CONTENT:
                raise http.client.HTTPException(f"the hub answers HTTP {answer.status}")
            with self._part.open("r+b" if have else "wb") as out:
                out.seek(have)
                self._store(answer, out, have)
        finally:
            connection.close()

    def _store(self, answer: http.client.HTTPResponse, out: BinaryIO, length: int) -> None:
        looked_at = length >= MAX_HEAD_BYTES
        while chunk := answer.read(_CHUNK):
            length += len(chunk)
            self._came += len(chunk)
            if length > self._order.bytes:
                raise PackageError("more came than was ordered")
            before = out.tell()
            out.write(chunk)
            if before // _DURABLE_BYTES != length // _DURABLE_BYTES:
                out.flush()
                os.fsync(out.fileno())
            if not looked_at and length >= MAX_HEAD_BYTES:
                looked_at = True
                out.flush()
                self._look()
        out.flush()
        os.fsync(out.fileno())
        if length < self._order.bytes:
            raise http.client.HTTPException(f"the line broke after {length} of {self._order.bytes} bytes")

    def _look(self) -> None:
        with self._part.open("rb") as stream:
            head = read_head(stream)
        verify(self._key, head)
        if reason := unfit(head.manifest, here()):
            raise Refused(reason)
        disk = os.statvfs(self._part.parent)
        room = room_needed(head.manifest) + self._order.bytes - self._part.stat().st_size
        if reason := no_room(room, disk.f_bavail * disk.f_frsize, str(self._part.parent)):
            raise Refused(reason)

    def _finish(self) -> None:
        with self._part.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        if digest != self._order.sha256:
            self._part.unlink()
            raise http.client.HTTPException("what came is not what was ordered; it is fetched anew")
        self._look()
        inbox.hand_over(self._part)


class _Gone(Exception):
    """The hub has no such package."""


def run(state: Path, key: Path, now: Moment) -> Fetched:
    """Of this device's order and identity."""
    folder = state / INBOX
    order, identity = Orders(folder).read(), read_identity(state)
    if order is None:
        return Fetched("failed", "nothing is ordered")
    if identity is None:
        return Fetched("failed", "this device is not enrolled, so it knows no hub to fetch from; use a USB stick")
    moment = now if now.certain else Moment(max(now.time_ms, identity.floor_ms), certain=False)
    context = client_context(identity.authority, None, lambda: moment)
    return Fetching(folder, key, order, Source(identity.hub.url, context)).run()


def main() -> int:
    """The process."""
    state, key, time_ms, certain = sys.argv[1:]
    try:
        fetched = run(Path(state), Path(key), Moment(int(time_ms), certain == "certain"))
    except (AgentError, OSError) as error:
        fetched = Fetched("again", str(error))
    sys.stdout.buffer.write(msgspec.json.encode(fetched))
    return 0


if __name__ == "__main__":
    sys.exit(main())
