"""Keys, packages and the shelf: what is packed is what was signed, and nothing else comes on the shelf."""

from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from contract import package
from contract.release import Manifest, PackagedFile, PackageError, Told, decode, encode, read_detail
from hub.api import updates
from hub.errors import ConfigError
from hub.releases.keys import make_key
from hub.releases.pack import Wanted, pack
from hub.releases.shelf import Shelf
from tests.edge_agent.update.making import NOW, make_wheel, wheels_folder
from tests.hub.command import hub

FILE = PackagedFile("x-1.0-py3-none-any.whl", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
MANIFEST = Manifest(
    version="0.2.0", arch="any", python=("3.11",), applies_on="0.1.0", created_ms=1_790_000_000_000, files=(FILE,)
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "wheels"
    made.mkdir()
    make_wheel(made, "ttdn_border", "0.2.0", {"x.py": "x = 1\n"})
    return wheels_folder(made, "0.2.0")


def packed(manifest: Manifest = MANIFEST, data: bytes = b"abc") -> bytes:
    out = io.BytesIO()
    package.write(out, encode(manifest), b"s" * 64, lambda _file: io.BytesIO(data))
    return out.getvalue()


def read(data: bytes) -> list[bytes]:
    stream = io.BytesIO(data)
    head = package.read_head(stream)
    return [b"".join(chunks) for _, chunks in package.read_files(stream, head.manifest)]


def test_a_package_holds_what_its_manifest_says() -> None:
    data = packed()
    assert read(data) == [b"abc"]
    assert decode(encode(MANIFEST)) == MANIFEST
    assert read(data + bytes(512)) == [b"abc"]


@pytest.mark.parametrize("at", [0, 156, 157, 257, 124, 512, 700, 1024, 1536, 1700, 2048, 2204, 2560, 2700, 3072])
def test_a_package_that_is_not_exactly_so_is_none(at: int) -> None:
    data = bytearray(packed())
    data[at] ^= 3
    if 512 <= at < 1024 or 1536 <= at < 1600:  # within the manifest or its signature: for whoever checks that
        return
    with pytest.raises(PackageError):
        read(bytes(data))


def test_a_package_cut_anywhere_is_none() -> None:
    data = packed()
    for length in range(0, len(data) - 512, 64):
        with pytest.raises(PackageError):
            read(data[:length])
    with pytest.raises(PackageError):
        read(data + b"x")


@pytest.mark.parametrize("name", ["../x-1-py3-none-any.whl", "/x.whl", "a/b.whl", "x.tar", "", "-x.whl"])
def test_no_name_leads_out_of_a_folder(name: str) -> None:
    data = encode(MANIFEST).replace(FILE.name.encode(), name.encode())
    with pytest.raises(PackageError):
        decode(data)


def test_what_became_of_it_is_told_and_read() -> None:
    told = Told("went_back", "0.2.0", "0.1.0", "clock, probe.mpv: x")
    assert read_detail(told.detail()) == told
    assert read_detail("identity renewed") is None
    assert read_detail("eaten 0.2.0 (0.1.0)") is None


def test_keygen_pack_add_list(tmp_path: Path, folder: Path) -> None:
    made = hub("release", "keygen", str(tmp_path / "release.key"))
    assert (made.returncode, (tmp_path / "release.key").stat().st_mode & 0o777) == (0, 0o600)
    assert hub("release", "keygen", str(tmp_path / "release.key")).returncode == 2
    out = tmp_path / "ttdn-agent-0.2.0-x86_64.ttdn"
    done = hub("release", "pack", str(folder), "--key", str(tmp_path / "release.key"), "--out", str(out))
    assert (done.returncode, "0.2.0 x86_64" in done.stdout) == (0, True), done.stderr
    env = {
        "TTDN_HUB_RELEASES__FOLDER": str(tmp_path / "shelf"),
        "TTDN_HUB_PKI__RELEASE_KEY_FILE": str(tmp_path / "release.pub"),
        "TTDN_HUB_DATABASE__DSN": "postgresql://nowhere/x",
    }
    added = hub("release", "add", str(out), env=env)
    assert added.returncode == 0, added.stderr
    (told,) = json.loads(hub("release", "list", "--json", env=env).stdout)["releases"]
    assert (told["version"], told["bytes"]) == ("0.2.0", out.stat().st_size)
    assert told["sha256"][:16] in hub("release", "list", env=env).stdout


def test_what_kiosks_would_not_take_is_not_put_there(tmp_path: Path, folder: Path) -> None:
    make_key(tmp_path / "ours.key", tmp_path / "ours.pub")
    make_key(tmp_path / "other.key", tmp_path / "other.pub")
    shelf, out = Shelf(tmp_path / "shelf"), tmp_path / "x.ttdn"
    pack(folder, tmp_path / "other.key", out, Wanted(), NOW)
    with pytest.raises(ConfigError, match="not signed by the key"):
        shelf.add(out, (tmp_path / "ours.pub").read_text())
    out.write_bytes(out.read_bytes()[:-20_000])
    with pytest.raises(ConfigError, match="cut short"):
        shelf.add(out, (tmp_path / "other.pub").read_text())
    assert shelf.releases() == []
    (tmp_path / "ours.key").chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        pack(folder, tmp_path / "ours.key", out, Wanted(), NOW)


def test_a_folder_that_was_changed_is_not_signed(tmp_path: Path, folder: Path) -> None:
    make_key(tmp_path / "k.key", tmp_path / "k.pub")
    wheel = next(folder.glob("ttdn_border-*.whl"))
    wheel.write_bytes(wheel.read_bytes() + b"x")
    with pytest.raises(ConfigError, match="changed since"):
        pack(folder, tmp_path / "k.key", tmp_path / "x.ttdn", Wanted(), NOW)


def test_kiosks_fetch_in_pieces(tmp_path: Path, folder: Path) -> None:
    make_key(tmp_path / "k.key", tmp_path / "k.pub")
    pack(folder, tmp_path / "k.key", tmp_path / "x.ttdn", Wanted(), NOW)
    shelf = Shelf(tmp_path / "shelf")
    release = shelf.add(tmp_path / "x.ttdn", (tmp_path / "k.pub").read_text())
    data = (tmp_path / "x.ttdn").read_bytes()
    app = FastAPI()
    app.include_router(updates.router(shelf))

    async def ask() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hub") as client:
            path = f"/updates/v1/{release.sha256}"
            assert (await client.get(path)).content == data
            rest = await client.get(path, headers={"Range": "bytes=1000-", "If-Range": f'"{release.sha256}"'})
            assert (rest.status_code, rest.content) == (206, data[1000:])
            other = await client.get(path, headers={"Range": "bytes=1000-", "If-Range": '"another"'})
            assert other.status_code == 200
            assert (await client.get(f"/updates/v1/{'0' * 64}")).status_code == 404
            assert (await client.get("/updates/v1/..%2f..%2fetc")).status_code in (404, 422)

    asyncio.run(ask())
