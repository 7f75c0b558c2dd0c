"""A kiosk without a keyboard is enrolled from `ttdn.toml`; what came of it stands beside that, in `ttdn-ket-qua.txt`.

The file is left as it is until the device is enrolled; then the code goes out of it, for good. A power cut between the
two is made good at the next boot: the code is known as the one that was used.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from contract.enrol_code import parse_enrol_code
from contract.errors import ContractError
from edge_agent import durable
from edge_agent.identity import boot_file
from edge_agent.identity.boot_file import MAX_BYTES, BootFile, BootFileWrong
from edge_agent.identity.errors import StepFailed
from edge_agent.identity.hub_link import parse_url
from edge_agent.identity.renewal_plan import day
from edge_agent.identity.steps import code_mark
from edge_agent.identity.store import IdentityStore
from edge_agent.identity.texts import FIRST_BOOT, STEPS, TROUBLES, Text, code_hint

RESULT: Final = "ttdn-ket-qua.txt"
RETRY_S: Final = 15.0
AGAIN_S: Final = 60.0
"""So long a device that is to be enrolled anew waits for the network."""


class Attempt(Struct, frozen=True):
    """What `ttdn-agent enrol --json` said."""

    enrolled: bool
    device: str = ""
    url: str = ""
    not_after_ms: int = 0
    error: str = ""
    text: Text = Text("", "")
    passes: bool = False
    wait_s: int = 0


class Means(NamedTuple):
    """What a first boot needs from outside."""

    enrol: Callable[[BootFile], Attempt]
    network: Callable[[BootFile], list[Text]]
    wait_s: float
    say: Callable[[str], None]
    pause: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic


class FirstBoot:
    """Of the `ttdn.toml` at one place."""

    def __init__(self, file: Path, store: IdentityStore, means: Means) -> None:
        self._file, self._store, self._means = file, store, means
        self._notes: list[Text] = []
        self._told = ""

    def run(self) -> bool:
        """Whether the device is enrolled and the code gone, or nothing was asked for."""
        try:
            text = boot_file.decode(_read(self._file))
            wanted = boot_file.parse(text)
        except BootFileWrong as error:
            return self._tell("wrong_file", error.text)
        self._notes = self._means.network(wanted)
        if not wanted.code:
            for note in self._notes:
                self._means.say(note.vi)
            return True  # it was used at an earlier boot
        if (hint := _hint(wanted)) is not None:
            return self._tell("wrong_file", hint)
        wanted = replace(wanted, url=parse_url(wanted.url).url)
        return self._is_ours(wanted, text) or self._enrol(wanted, text)

    def _is_ours(self, wanted: BootFile, text: str) -> bool:
        present = self._store.current()
        if present is None or present.hub.code_used != code_mark(parse_enrol_code(wanted.code)):
            return False
        facts = present.hub
        return self._enrolled(wanted, text, _filled(facts.device, facts.url, facts.not_after_ms))

    def _enrol(self, wanted: BootFile, text: str) -> bool:
        # Where there is an identity already, an agent waits to begin with it.
        wait_s = self._means.wait_s if self._store.current() is None else min(self._means.wait_s, AGAIN_S)
        began = self._means.clock()
        while True:
            attempt = self._means.enrol(wanted)
            if attempt.enrolled:
                return self._enrolled(wanted, text, _filled(attempt.device, attempt.url, attempt.not_after_ms))
            if not attempt.passes:
                return self._tell("failed", attempt.text)
            left_s = wait_s - (self._means.clock() - began)
            if left_s <= 0:
                return self._tell("gave_up", attempt.text)
            self._tell("waiting", attempt.text)
            self._means.pause(min(left_s, max(RETRY_S, attempt.wait_s)))

    def _enrolled(self, wanted: BootFile, text: str, done: Text) -> bool:
        try:
            durable.replace_file(self._file, boot_file.without_code(text, wanted).encode())
        except OSError as error:  # it is of no use to anybody any more
            self._notes.append(FIRST_BOOT["kept"])
            self._means.say(f"{self._file}: {error.strerror}")
        self._tell("done", done)
        return True

    def _tell(self, how: str, what: Text) -> bool:
        """Beside the file, where a person without a keyboard reads it; once, as long as nothing changes."""
        parts = (FIRST_BOOT[how], what, *self._notes)
        vi, en = "\n".join(part.vi for part in parts), "\n".join(part.en for part in parts)
        told = f"{vi}\n\n{en}\n"
        if told != self._told:
            self._told = told
            self._means.say(vi)
            # Notepad of old takes no text without a mark for UTF-8, and no line ends but its own.
            result = self._file.with_name(RESULT)
            try:
                durable.replace_file(result, told.replace("\n", "\r\n").encode("utf-8-sig"))
            except OSError as error:  # a stick that is write-protected enrols, too
                self._means.say(f"{result}: {error.strerror}")
        return False


def _read(file: Path) -> bytes:
    with file.open("rb") as opened:
        data = opened.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise BootFileWrong(FIRST_BOOT["too_large"])
    return data


def _hint(wanted: BootFile) -> Text | None:
    if not wanted.url:
        return FIRST_BOOT["no_url"]
    try:
        parse_url(wanted.url)
        parse_enrol_code(wanted.code)
    except StepFailed as error:
        return Text(error.text("vi"), error.text("en"))
    except ContractError as error:
        hints = code_hint(error.detail, "vi"), code_hint(error.detail, "en")
        trouble = TROUBLES["bad_code"]
        return Text(trouble.vi.format(detail=hints[0]), trouble.en.format(detail=hints[1]))
    return None


def _filled(device: str, url: str, not_after_ms: int) -> Text:
    facts = {"device": device, "url": url, "until": day(not_after_ms)}
    return Text(STEPS["done"].said("vi", **facts), STEPS["done"].said("en", **facts))
