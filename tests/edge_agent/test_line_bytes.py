"""Bytes on the line, as the kernel counts them for a real connection."""

from __future__ import annotations

import socket

from edge_agent.line_bytes import HEADERS_BYTES, line_bytes, of_tcp_info
from simulator.ports import HOST
from tests.patience import until


def test_a_connection_counts_what_it_carries_and_its_headers() -> None:
    with socket.create_server((HOST, 0)) as server, socket.create_connection(server.getsockname()) as ours:
        theirs, _ = server.accept()
        with theirs:
            begun = line_bytes(ours)
            assert begun is not None
            assert begun >= 2 * HEADERS_BYTES  # the handshake
            ours.sendall(b"x" * 50_000)
            received = 0
            while received < 50_000:
                received += len(theirs.recv(65_536))
            theirs.sendall(b"y" * 1_000)
            assert len(ours.recv(1_000, socket.MSG_WAITALL)) == 1_000
            until(lambda: (line_bytes(ours) or 0) > begun + 51_000)
            assert (line_bytes(ours) or 0) < begun + 51_000 + 200 * HEADERS_BYTES
    assert line_bytes(ours) is None


def test_what_does_not_tell_counts_nothing() -> None:
    assert line_bytes(None) is None
    assert line_bytes(object()) is None
    assert of_tcp_info(b"\0" * 104) is None
