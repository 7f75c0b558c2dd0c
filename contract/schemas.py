"""The wire as JSON Schema, for whoever writes the other end in another language. Kept in docs/schemas; pure."""

from __future__ import annotations

import json
from typing import Any, Final

import msgspec

from contract.batch import Batch
from contract.command import Command, Reply
from contract.config import DeviceConfig
from contract.dictionary import DICTIONARY
from contract.enrol import DEVICES_PATH, RENEWALS_PATH, Enrolled, EnrolRefused, EnrolRequest, RenewRequest
from contract.events import AnyEvent
from contract.receipt import Receipt
from contract.status import AnyStatus

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
DICTIONARY_FILE: Final = "json+d1.txt"
"""The preset dictionary of messages with the content type json+d1; to the byte, without an end of line."""
_MESSAGES: Final[tuple[tuple[str, str, Any], ...]] = (
    ("event", "One event, as it stands in a batch", AnyEvent),
    ("batch", "Payload of ttdn/v1/<device>/events", Batch),
    ("receipt", "Payload of ttdn/v1/<device>/receipt", Receipt),
    ("status", "Payload of ttdn/v1/<device>/status", AnyStatus),
    ("enrol_request", f"Body of POST {DEVICES_PATH}", EnrolRequest),
    ("renew_request", f"Body of POST {RENEWALS_PATH}", RenewRequest),
    ("enrolled", "Answer to either: a certificate", Enrolled),
    ("enrol_refused", "Answer to either: a refusal", EnrolRefused),
    ("config", "Payload of ttdn/v1/<device>/config", DeviceConfig),
    ("command", "Payload of ttdn/v1/<device>/command", Command),
    ("reply", "Payload of ttdn/v1/<device>/reply", Reply),
)


def schemas() -> dict[str, str]:
    """File name to text of every schema."""
    texts = {f"{name}.json": _text(title, message) for name, title, message in _MESSAGES}
    return {**texts, DICTIONARY_FILE: DICTIONARY.decode("ascii")}


def _text(title: str, message: Any) -> str:
    schema = {"$schema": _DIALECT, "title": title, **msgspec.json.schema(message)}
    return json.dumps(_portable(schema), indent=2, ensure_ascii=False) + "\n"


def _portable(value: Any) -> Any:
    r"""Without `\Z`, which is Python's; in JSON Schema's regular expressions `$` is the very end."""
    if isinstance(value, dict):
        return {key: _pattern(part) if key == "pattern" else _portable(part) for key, part in value.items()}
    return [_portable(part) for part in value] if isinstance(value, list) else value


def _pattern(value: Any) -> Any:
    return value.removesuffix(r"\Z") + "$" if isinstance(value, str) else _portable(value)
