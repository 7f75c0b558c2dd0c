"""What a kiosk and the hub say to each other over HTTPS to get, and to renew, the device's certificate.

    GET  /enrol/v1/authority   -> the certificate authority, PEM; checked against the code's fingerprint
    POST /enrol/v1/devices     EnrolRequest -> Enrolled
    POST /enrol/v1/renewals    RenewRequest -> Enrolled
    any refusal                status 403, 429 or 4xx, EnrolRefused

The private key is made on the device and never leaves it. A request with the same secret *and the same key* is answered
again with the same certificate, so that a kiosk whose power failed after the hub had answered goes on by asking again.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from contract.ids import DeviceId, UnixMs

AUTHORITY_PATH: Final = "/enrol/v1/authority"
DEVICES_PATH: Final = "/enrol/v1/devices"
RENEWALS_PATH: Final = "/enrol/v1/renewals"
MAX_ENROL_BYTES: Final = 16 * 1024
"""The largest request."""
RENEWAL_PREFIX: Final = b"ttdn-renewal-v1\n"
"""What is signed with the present key at a renewal: this, then the new request in DER."""

Pem = Annotated[str, Meta(min_length=1, max_length=8192, description="One certificate or request in PEM.")]
Host = Annotated[str, Meta(min_length=1, max_length=253, description="Name or address.")]


class BrokerAddress(Struct, frozen=True, omit_defaults=True):
    """A way to the hub's brokers. Every one is TLS with the device's certificate; they are tried in turn."""

    host: Host
    port: Annotated[int, Meta(ge=1, le=65535)] = 8883
    transport: Literal["tcp", "websockets"] = "tcp"
    path: Annotated[str, Meta(max_length=256, description="Of the WebSocket.")] = "/mqtt"


class EnrolRequest(Struct, frozen=True, kw_only=True):
    """A kiosk asks to become the device that its code was made for."""

    secret: Annotated[str, Meta(pattern=r"^[0-9a-f]{16}\Z", description="The code's secret in hex.")]
    csr: Annotated[
        Pem, Meta(description="PKCS#10 in PEM, made with the new key (ECDSA P-256); names in it are ignored.")
    ]
    version: Annotated[str, Meta(max_length=32, description="Of the agent.")]


class RenewRequest(Struct, frozen=True, kw_only=True):
    """A device asks for its next certificate, with a new key. Its certificate may have expired some months ago."""

    certificate: Pem
    csr: Pem
    signature: Annotated[
        str,
        Meta(max_length=256, description="Base64: ECDSA-SHA256 by the present key over RENEWAL_PREFIX and CSR."),
    ]
    version: Annotated[str, Meta(max_length=32)]


class Enrolled(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A certificate, and where to go with it."""

    device: DeviceId
    certificate: Annotated[Pem, Meta(description="Of the device: CN is its id, 365 days.")]
    authority: Annotated[Pem, Meta(description="Who signs the hub's and the devices' certificates.")]
    brokers: Annotated[tuple[BrokerAddress, ...], Meta(min_length=1, max_length=8)]
    url: Annotated[str, Meta(max_length=512, description="Where to renew: https://host[:port].")]
    hub_time: UnixMs
    release_key: Annotated[
        str, Meta(max_length=512, description="Ed25519 in PEM that signs packages of the agent; empty: none are sent.")
    ] = ""


class EnrolRefused(Struct, frozen=True, kw_only=True):
    """Why not. Wrong, used and expired codes read alike."""

    error: Literal["refused", "too_many", "malformed"]
    detail: Annotated[str, Meta(max_length=512)] = ""
    retry_after_s: Annotated[int, Meta(ge=0, le=86_400)] = 0
