"""A TCP relay that counts what passes: payload bytes of TCP in both directions, without the headers of TCP and IP."""

from __future__ import annotations

import socket
import struct
import threading
from types import TracebackType
from typing import Self

from simulator.ports import HOST

_SEGMENTS, _AT = struct.Struct("II"), 136
"""tcpi_segs_out and tcpi_segs_in of struct tcp_info, linux/tcp.h."""


class Relay:
    """Passes the connections to its own port on to another one, while entered."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server((HOST, 0))
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self.bytes = 0

    @property
    def port(self) -> int:
        """Where to connect instead."""
        return int(self._listener.getsockname()[1])

    def segments(self) -> int:
        """Segments of TCP between its clients and itself so far, both ways, of connections that are open."""
        count = 0
        for near in self._open[::2]:
            if near.fileno() >= 0:
                count += sum(_SEGMENTS.unpack_from(near.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256), _AT))
        return count

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in self._open:
            each.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection((HOST, self._target))
            self._open += [near, far]
            for ends in ((near, far), (far, near)):
                threading.Thread(target=self._pass, args=ends, daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                with self._lock:
                    self.bytes += len(data)
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            return
