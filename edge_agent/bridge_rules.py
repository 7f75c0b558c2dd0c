"""Who may say what to the bridge: its settings, the reasons for a refusal, and the checks, all without I/O.

The bridge is open to every program and every web page on the kiosk, so a request has to name a loopback host (a page
whose DNS name was rebound to 127.0.0.1 does not) and an origin that was configured, and its body has to be one of the
few messages of `page_messages`. Every refusal has a code, which is answered and counted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Final, NamedTuple

import msgspec
from msgspec import Meta, Struct

from contract.content_ref import is_url
from contract.events import Language
from contract.ids import Name
from edge_agent.page_messages import Display, LanguageChosen, Message, messages_of

MAX_BODY_BYTES: Final = 4096
MAX_HEAD_BYTES: Final = 8192
LOOPBACK: Final = ("127.0.0.1", "::1")
VISITS: Final = "/v1/visits"
SCRIPT: Final = "/ttdn.js"
HEALTH: Final = "/healthz"
METHODS: Final[Mapping[str, tuple[str, ...]]] = {VISITS: ("POST", "OPTIONS"), SCRIPT: ("GET",), HEALTH: ("GET",)}

_DIGIT_RUN = re.compile(r"[0-9]{6}")
_MAX_DIGITS: Final = 8
_FILE_NAME = re.compile(r"""[^\s?#@<>"\\|*\x00-\x1f\x7f][^?#@<>"\\|*\x00-\x1f\x7f]*""")

Origin = Annotated[
    str,
    Meta(
        pattern=r"^(null|https?://([a-z0-9.-]+|\[::1\])(:[0-9]{1,5})?)\Z",
        description="Scheme, host and port as the browser sends it, without a path: http://127.0.0.1:8080",
    ),
]


class BridgeSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The bridge to the kiosk's own web content."""

    enabled: Annotated[bool, Meta(description="Whether pages on this kiosk may tell what visitors do.")] = False
    address: Annotated[str, Meta(description="127.0.0.1 or ::1; nothing else is possible.")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535, description="TCP port on the loopback address; 0: any free one.")] = 8787
    origins: Annotated[
        tuple[Origin, ...],
        Meta(max_length=32, description="Origins of the pages that may speak; null stands for file:// pages."),
    ] = ()
    languages: Annotated[
        tuple[Language, ...], Meta(min_length=1, max_length=32, description="Languages a visitor can select.")
    ] = ("vi", "en", "zh", "lo", "km")
    screen: Annotated[Name, Meta(description="The screen on which a page that sends `display` is shown.")] = "main"
    idle_s: Annotated[int, Meta(ge=15, le=3600, description="Idle time, in s, that ends a visitor's session.")] = 60
    media_idle_s: Annotated[
        int, Meta(ge=5, le=14400, description="The same while a medium plays; longer than any clip, s.")
    ] = 900
    display_silence_s: Annotated[
        int, Meta(ge=5, le=3600, description="After so many s without a word a page shows nothing any more.")
    ] = 30
    messages_per_s: Annotated[int, Meta(ge=1, le=1000, description="Messages taken per s in the long run.")] = 10
    burst_messages: Annotated[int, Meta(ge=16, le=10000, description="Messages taken at once.")] = 50
    request_s: Annotated[
        float, Meta(gt=0, le=60, description="Longest time, in s, a client may take to send its request.")
    ] = 5.0
    connections: Annotated[int, Meta(ge=1, le=64, description="Connections, and so threads, at the same time.")] = 16


class BridgeError(Exception):
    """The bridge cannot start. The text says why and what to set; trying again without a change does not help."""


class NotAccepted(Exception):
    """An event could not be made durable now. Raised by what the bridge hands drafts to; the page is told to retry."""


REFUSALS: Final[Mapping[str, tuple[int, str]]] = {
    "host": (403, "Address the bridge by its loopback address: http://127.0.0.1 and its port."),
    "origin": (403, "This page may not speak here: add its origin to bridge.origins of the agent's configuration."),
    "path": (404, "There are POST /v1/visits, GET /ttdn.js and GET /healthz."),
    "method": (405, "There are POST /v1/visits, GET /ttdn.js and GET /healthz."),
    "content_type": (415, "Send application/json."),
    "chunked": (411, "Send the body in one piece with a Content-Length."),
    "length": (411, "Send a Content-Length."),
    "too_large": (413, "Send at most 4096 bytes, and 8192 of headers."),
    "http": (400, "This is not an HTTP request."),
    "slow": (408, "Send the request at once."),
    "malformed": (400, "Send a JSON object, or a list of them, in UTF-8."),
    "message": (422, "Send one of the documented messages with its documented fields only"),
    "name": (422, "Name pages, media and QR codes by at most 8 digits, no more than 5 of them in a row."),
    "language": (422, "Select one of bridge.languages of the agent's configuration."),
    "content_ref": (422, "Name a content by its URL, or by a file name without ? # @ < > | * and quotes."),
    "flood": (429, "Send fewer messages; try again after a second."),
    "not_accepted": (503, "The agent cannot keep this now; try again later."),
    "busy": (503, "Too many requests at the same time; try again after a second."),
}
"""Every reason to refuse a request: its HTTP status and what to do about it."""


class Refused(Exception):
    """A request that is not taken, by a code of `REFUSALS`. `hint` tells the page's author more."""

    def __init__(self, code: str, hint: str = "") -> None:
        self.code, self.hint = code, hint
        self.status, what_to_do = REFUSALS[code]
        self.detail = f"{what_to_do}: {hint[:200]}" if hint else what_to_do
        super().__init__(f"{code}: {self.detail}")


class Request(NamedTuple):
    """The head of an HTTP request as far as the bridge looks at it; `headers` in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]


def check_address(address: str) -> None:
    """Raise BridgeError unless `address` is a loopback address."""
    if address not in LOOPBACK:
        msg = f"bridge.address is {address!r}: the bridge speaks to this kiosk alone; set it to 127.0.0.1 or ::1."
        raise BridgeError(msg)


def check_head(request: Request, port: int, origins: Sequence[str]) -> None:
    """Raise Refused unless the request comes from here, to here, for something that is here."""
    hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")}
    if request.headers.get("host", "").lower() not in hosts:
        raise Refused("host")
    methods = METHODS.get(request.path)
    if methods is None:
        raise Refused("path")
    if request.method not in methods:
        raise Refused("method")
    if request.path == VISITS and request.headers.get("origin") not in origins:
        raise Refused("origin")


def body_length(request: Request) -> int:
    """Bytes of the body that a POST announces. Raises Refused."""
    headers = request.headers
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Refused("content_type")
    if "transfer-encoding" in headers:
        raise Refused("chunked")
    length = headers.get("content-length", "")
    if not re.fullmatch(r"[0-9]{1,9}", length):
        raise Refused("too_large" if length.isdigit() else "length")
    if int(length) > MAX_BODY_BYTES:
        raise Refused("too_large")
    return int(length)


def read_messages(body: bytes, languages: Sequence[str]) -> list[Message]:
    """The messages of a body, each without anything personal. Raises Refused; one bad message refuses them all."""
    try:
        messages = messages_of(body)
    except msgspec.ValidationError as error:
        raise Refused("message", str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refused("malformed", str(error)) from error
    for message in messages:
        _check_words(message, languages)
    return messages


def _check_words(message: Message, languages: Sequence[str]) -> None:
    target = getattr(message, "target", None)
    if target is not None and not is_impersonal(target):
        raise Refused("name")
    if isinstance(message, LanguageChosen) and message.language not in languages:
        raise Refused("language")
    if isinstance(message, Display) and message.content_ref is not None:
        _check_content_ref(message.content_ref)


def is_impersonal(target: str) -> bool:
    """Whether a name has too few digits to be a telephone, identity card or passport number."""
    return not _DIGIT_RUN.search(target) and sum(map(str.isdigit, target)) <= _MAX_DIGITS


def _check_content_ref(ref: str) -> None:
    if not is_url(ref) and not _FILE_NAME.fullmatch(ref):
        raise Refused("content_ref")


class Bucket(Struct, frozen=True):
    """A token bucket: what is left at a moment of CLOCK_BOOTTIME. Full at first."""

    tokens: float
    at_ms: int

    def taken(self, count: int, now_ms: int, *, per_s: float, burst: float) -> Bucket:
        """The bucket without `count` tokens. Raises Refused when there are not so many."""
        refilled = min(burst, self.tokens + max(0, now_ms - self.at_ms) * per_s / 1000)
        if refilled < count:
            raise Refused("flood")
        return Bucket(refilled - count, max(now_ms, self.at_ms))
