"""Mosquitto's configuration: who gets in how, and as whom. Pure but for the salt of the password.

Devices come by TLS with a certificate of ours that is not revoked; its CN is their user name and their client id,
whatever they call themselves. The hub comes by the loopback address with a password, and may choose its client id: so
it takes over the session of a device that was revoked, which ends it.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from importlib.resources import files
from pathlib import Path
from typing import Final

_ITERATIONS: Final = 10_000
_SALT_BYTES: Final = 12
_ACL: Final = "mosquitto.acl"
_LINE: Final = re.compile(r"[^:\n]+:\$7\$[0-9]+\$(?P<salt>[A-Za-z0-9+/]{16})\$[A-Za-z0-9+/=]+\n", re.ASCII)
_CONFIG: Final = """\
# Mosquitto for ttdn-hub; made by: ttdn-hub pki broker-config. After a change of crl.pem or server.pem: SIGHUP.

allow_anonymous false
password_file {folder}/passwords
acl_file {folder}/acl
# The broker is transport only: nothing that it forgets is lost.
persistence false
# Without a limit (0) a client's session would end at its first refused publish.
max_queued_messages 100000
max_packet_size 131072
log_dest stderr
log_type error
log_type warning
log_type notice
connection_messages true

# Devices: TLS with a certificate of this hub's authority.
listener {mqtt_port} {mqtt_bind}
cafile {folder}/ca.pem
certfile {folder}/server.pem
keyfile {folder}/server.pem
crlfile {folder}/crl.pem
require_certificate true
use_identity_as_username true
use_username_as_clientid true

# The hub itself, on this machine only.
listener {hub_port} {hub_host}
"""


def configuration(folder: Path, mqtt_port: int, hub_host: str, hub_port: int, *, mqtt_bind: str = "") -> str:
    """mosquitto.conf for what lies in `folder`. `mqtt_bind`: address for devices, empty: all."""
    text = _CONFIG.format(folder=folder, mqtt_port=mqtt_port, mqtt_bind=mqtt_bind, hub_host=hub_host, hub_port=hub_port)
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


def access_rules() -> str:
    """The file of access rules."""
    return (files("hub.pki") / _ACL).read_text(encoding="utf-8")


def password_line(user: str, password: str, present: str = "") -> str:
    """A line of Mosquitto's password file: PBKDF2 with SHA-512, as mosquitto_passwd writes it.

    `present` is given back if it says the same, so that nothing changes without need.
    """
    known = _LINE.fullmatch(present)
    if known is not None:
        same = _hashed(user, password, base64.b64decode(known["salt"]))
        if secrets.compare_digest(same.encode(), present.encode()):
            return present
    return _hashed(user, password, secrets.token_bytes(_SALT_BYTES))


def _hashed(user: str, password: str, salt: bytes) -> str:
    derived = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ITERATIONS)
    salt_text, derived_text = (base64.b64encode(part).decode() for part in (salt, derived))
    return f"{user}:$7${_ITERATIONS}${salt_text}${derived_text}\n"
