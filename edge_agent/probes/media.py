"""What mpv's paths mean on this machine: by which name and hash a play is told, a failure complained of."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from urllib.parse import unquote_to_bytes

from contract.content_ref import file_ref, is_url, url_ref
from edge_agent.media_hash import MediaHashes
from edge_agent.observation import Content


class Media:
    """Names files by their path within `folder`; hashes them beside the work, if at all."""

    def __init__(self, *, folder: str, keep_query: Collection[str], hashed: bool) -> None:
        self._folder, self._keep_query = folder, keep_query
        self._hashes = MediaHashes() if hashed else None

    def content(self, path: str | None, working_directory: str | None) -> Content | None:
        """What is shown when mpv plays `path`, with its hash if that is known already."""
        if path is None:
            return None
        file = local_path(path, working_directory)
        if file is None:
            return Content(url_ref(path, self._keep_query))
        return Content(file_ref(file, self._folder), self._sha256(file))

    def name(self, path: str) -> str:
        """What a file is called that is not shown."""
        file = local_path(path, None)
        return url_ref(path) if file is None else file_ref(file, self._folder)

    def prefetch(self, paths: Iterable[str], working_directory: str | None) -> None:
        """Have files hashed ahead, so that their plays begin with the hash known."""
        for file in (local_path(path, working_directory) for path in paths):
            if file is not None:
                self._sha256(file)

    def close(self) -> None:
        """Stop hashing. May be called more than once."""
        if self._hashes is not None:
            self._hashes.close()

    def _sha256(self, file: str) -> str | None:
        return self._hashes.lookup(file) if self._hashes is not None else None


def local_path(path: str, working_directory: str | None) -> str | None:
    """The file that mpv's `path` means on this machine; None for a stream."""
    if path.startswith("file://"):
        return os.fsdecode(unquote_to_bytes(path.removeprefix("file://").encode("utf-8", "surrogateescape")))
    if is_url(path):
        return None
    return os.path.join(working_directory or "/", path)  # noqa: PTH118 (mpv's names, kept byte for byte)
