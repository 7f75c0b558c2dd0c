"""SHA-256 of media files, computed beside the work: a lookup never waits for a file's bytes.

A file is known by path, size, modification time and inode; if one of them changes it is hashed anew. One thread,
started at the first unknown file, reads in chunks at the lowest priority and rests four times as long as it worked, so
that hashing never takes more than about a fifth of a core from a player.
"""

from __future__ import annotations

import hashlib
import os
import stat
import threading
import time
from collections import OrderedDict
from typing import Final, NamedTuple

CHUNK_BYTES: Final = 256 << 10
MAX_KNOWN: Final = 1024
MAX_WAITING: Final = 64
_REST_PER_WORK: Final = 4.0
_LOWEST_PRIORITY: Final = 19


class _File(NamedTuple):
    """What tells one state of a file from another without reading it."""

    path: str
    size_bytes: int
    modified_ns: int
    inode: int


class MediaHashes:
    """A cache of the hashes of up to 1024 files. Safe to use from every thread."""

    def __init__(self) -> None:
        self._known: OrderedDict[_File, str | None] = OrderedDict()
        self._waiting: OrderedDict[_File, None] = OrderedDict()
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def lookup(self, path: str) -> str | None:
        """The hash in lower-case hex; None while it is being computed, or if the file cannot be read."""
        file = _identify(path)
        if file is None:
            return None
        with self._changed:
            if file in self._known:
                self._known.move_to_end(file)
                return self._known[file]
            if file not in self._waiting and len(self._waiting) < MAX_WAITING and not self._closing.is_set():
                self._waiting[file] = None
                self._start()
                self._changed.notify_all()
        return None

    def close(self) -> None:
        """Stop hashing, within one chunk. May be called more than once."""
        self._closing.set()
        with self._changed:
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join(timeout=2.0)

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="media-hash", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        # On Linux the priority of a thread is its own; the player's and the agent's other threads go first.
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LOWEST_PRIORITY)
        while (file := self._next()) is not None:
            digest = self._hash(file)
            with self._changed:
                self._waiting.pop(file, None)
                # A file that changed meanwhile is known under its new state once somebody asks for it.
                if _identify(file.path) == file and not self._closing.is_set():
                    self._known[file] = digest
                while len(self._known) > MAX_KNOWN:
                    self._known.popitem(last=False)

    def _next(self) -> _File | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing.is_set())
            return None if self._closing.is_set() else next(iter(self._waiting))

    def _hash(self, file: _File) -> str | None:
        """None if the file cannot be read; that is remembered until it changes, so that a bad card is not worn."""
        digest = hashlib.sha256()
        try:
            with open(file.path, "rb", buffering=0) as media:  # noqa: PTH123 (names need not be UTF-8 nor tidy)
                began_s = time.monotonic()
                while chunk := media.read(CHUNK_BYTES):
                    digest.update(chunk)
                    if self._closing.wait((time.monotonic() - began_s) * _REST_PER_WORK):
                        return None
                    began_s = time.monotonic()
        except OSError:
            return None
        return digest.hexdigest()


def _identify(path: str) -> _File | None:
    try:
        state = os.stat(path)  # noqa: PTH116 (names need not be UTF-8 nor tidy)
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(state.st_mode):
        return None
    return _File(path, state.st_size, state.st_mtime_ns, state.st_ino)
