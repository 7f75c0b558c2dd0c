"""The broker of the demo: rumqttd, from the wheel `iotcore`, in a process of its own that can be killed and restarted.

It knows users and passwords but no access rules, and forgets everything when it ends; the protocol must not care, and
production has Mosquitto. `python -m simulator.broker --config FILE` is the child: it serves until it is told to end or
until the process that started it is gone, which it notices by the end of its standard input.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from contract.limits import MAX_MESSAGE_BYTES
from simulator.errors import ServerError
from simulator.ports import HOST
from simulator.server import LoopbackServer

HEADER_BYTES: Final = 4 * 1024
"""Room for topic and properties beside the largest payload: rumqttd counts them too."""
# What was delivered stays in memory, 12 segments of 1 MiB for each filter that somebody subscribed to; a reader further
# behind than that loses messages, which the agents send again.
_CONFIG: Final = """\
id = 0

[router]
id = 0
max_connections = {connections}
max_outgoing_packet_count = 200
max_segment_size = 1048576
max_segment_count = 12

[v5.1]
name = "v5"
listen = "{host}:{port}"
next_connection_delay_ms = 1

[v5.1.connections]
connection_timeout_ms = 60000
max_payload_size = {payload}
max_inflight_count = 100

[v5.1.connections.auth]
"""
_MAX_CONNECTIONS = 2_000
_PROJECT = Path(__file__).resolve().parent.parent


class EmbeddedBroker(LoopbackServer):
    """One MQTT 5 broker on the loopback address, for the given users (name to password).

    `folder` (made 0700 if missing) holds its configuration, its port and its log. All it holds is lost when it ends.
    """

    title = "embedded broker"

    def __init__(self, folder: Path, users: Mapping[str, str], *, start_timeout_s: float = 60) -> None:
        super().__init__(folder, start_timeout_s)
        self.users = dict(users)

    def _launch(self) -> subprocess.Popen[bytes]:
        # In the folder where `-m` finds this module, installed or not.
        command = [sys.executable, "-m", "simulator.broker", "--config", str(self._write_config())]
        return self._spawn(command, cwd=_PROJECT, stdin=subprocess.PIPE)

    def _write_config(self) -> Path:
        text = _CONFIG.format(
            connections=_MAX_CONNECTIONS, host=HOST, port=self.port, payload=MAX_MESSAGE_BYTES + HEADER_BYTES
        )
        # JSON's strings are TOML's basic strings, quotes and escapes included.
        text += "".join(f"{json.dumps(name)} = {json.dumps(password)}\n" for name, password in self.users.items())
        file = self.folder / "broker.toml"
        file.unlink(missing_ok=True)
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "w") as opened:
            opened.write(text)
        return file


def _end_with_parent() -> None:
    while os.read(sys.stdin.fileno(), 1):  # nothing more when the parent's end of the pipe closes, however it ended
        pass
    os._exit(0)  # rumqttd has no way to be told to stop


def serve(config: Path) -> None:
    """Run the broker in this process; never returns while it works. Raises ServerError if it cannot listen."""
    try:
        from iotcore import IotCoreBroker
    except ImportError as error:
        raise ServerError(
            f"the package iotcore does not load ({error}); install ttdn-border with its extra: [demo]"
        ) from None
    # rumqttd logs a record of level ERROR for every packet; waiting for Python's log would slow it down.
    logging.getLogger("rumqttd").setLevel(logging.CRITICAL)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        broker = IotCoreBroker(config_path=str(config))
        broker.check_ports()
        broker.run_forever()
    except (OSError, ValueError, RuntimeError) as error:
        raise ServerError(f"the broker cannot serve as {config} says: {error}") from error


def main(arguments: Sequence[str] | None = None) -> int:
    """The child process. Exit code 1 with one line on standard error if it cannot serve."""
    parser = argparse.ArgumentParser(prog="python -m simulator.broker", description="The demo's MQTT broker.")
    parser.add_argument("--config", type=Path, required=True, help="rumqttd's configuration (TOML, 0600)")
    try:
        serve(parser.parse_args(arguments).config)
    except ServerError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
