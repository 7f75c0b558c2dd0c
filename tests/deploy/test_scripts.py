"""What the scripts of deploy/agent say before they change anything."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.wheel_folder import DEPLOY, make_folder, sign

ARCH = getattr(sys.implementation, "_multiarch", "").split("-")[0]


def system_python() -> str:
    """Version of the python3 that the scripts find."""
    asked = "import sys; print('%d.%d' % sys.version_info[:2])"
    return subprocess.run(["python3", "-c", asked], capture_output=True, text=True, check=True).stdout.strip()


def run(script: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["sh", script, *arguments], capture_output=True, text=True, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "ttdn", arch=ARCH, python=system_python())


@pytest.mark.parametrize("script", ["install.sh", "wheels.sh", "uninstall.sh"])
def test_help_in_both_languages_vietnamese_first(script: str) -> None:
    done = run(DEPLOY / script, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Cách dùng: s")
    assert "\nusage: s" in done.stdout
    assert all(len(line) <= 125 for line in done.stdout.splitlines())


@pytest.mark.parametrize(
    ("script", "arguments", "said"),
    [
        ("install.sh", ["--fast"], "--fast is not understood"),
        ("install.sh", ["--check", "--offline"], "--offline needs a value"),
        ("install.sh", ["--check", "--lang", "fr"], "--lang fr: there are vi and en"),
        ("install.sh", ["--check", "--offline", "/nowhere"], "/nowhere was not made by wheels.sh"),
        ("uninstall.sh", ["--everything"], "--everything is not understood"),
        ("uninstall.sh", ["--lang", "fr"], "there are vi and en"),
        ("wheels.sh", [], "--arch has to be aarch64 or x86_64"),
        ("wheels.sh", ["--arch", "armv7l", "--python", "3.11"], "32-bit: --native"),
        ("wheels.sh", ["--arch", "aarch64", "--python", "3.9"], "--python has to be 3.11 or 3.13"),
        (
            "wheels.sh",
            ["--arch", "aarch64", "--python", "3.11", "--release-key", "/etc/passwd"],
            "no public key in PEM",
        ),
        ("wheels.sh", ["--arch", "aarch64", "--python", "3.11", "--output", "/tmp"], "/tmp exists"),
    ],
)
def test_wrong_use_is_told(script: str, arguments: list[str], said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON", sys.executable)
    done = run(DEPLOY / script, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("LỖI: ")
    assert said in done.stderr


def test_check_tells_every_step_and_changes_nothing(folder: Path) -> None:
    done = run(folder / "install.sh", "--check")
    assert (done.returncode, done.stderr) == (0, "")
    steps = [line for line in done.stdout.splitlines() if line.startswith("SẼ LÀM: ")]
    assert len(steps) >= 10
    assert "    WOULD DO: point /usr/local/bin/ttdn-agent -> /opt/ttdn-agent/current/bin/ttdn-agent" in done.stdout
    assert not Path("/opt/ttdn-agent").exists(), "nothing was changed"


@pytest.mark.parametrize(("lang", "first", "other"), [("vi", "SẼ LÀM: ", "WOULD"), ("en", "WOULD DO: ", "SẼ")])
def test_one_language_only(folder: Path, lang: str, first: str, other: str) -> None:
    done = run(DEPLOY / "install.sh", "--check", "--offline", folder, "--lang", lang)
    assert done.stdout.startswith(first)
    assert other not in done.stdout


def test_a_damaged_folder_is_refused(folder: Path) -> None:
    (folder / "agent.first.toml").write_text("[probes.radar]\n")
    done = run(folder / "install.sh", "--check")
    assert (done.returncode, done.stdout) == (1, "")
    assert "is damaged or not complete; copy it again" in done.stderr


def test_a_wheel_that_nobody_has_listed_is_refused(folder: Path) -> None:
    (folder / "evil-1-py3-none-any.whl").touch()
    done = run(folder / "install.sh", "--check")
    assert done.returncode == 1
    assert "evil-1-py3-none-any.whl is not in SHA256SUMS" in done.stderr


def test_a_folder_for_another_machine_names_the_one_to_make(folder: Path) -> None:
    (folder / "FOLDER").write_text("program=ttdn-agent\nversion=9.9.9\narch=s390x\npython=3.11\n")
    sign(folder)
    done = run(folder / "install.sh", "--check")
    assert done.returncode == 2
    assert f"Make another: sh wheels.sh --arch {ARCH} --python {system_python()}" in done.stderr


def test_a_folder_makes_no_further_folders(folder: Path) -> None:
    (folder / "wheels.sh").write_bytes((DEPLOY / "wheels.sh").read_bytes())
    done = run(folder / "wheels.sh", "--native")
    assert done.returncode == 2
    assert "runs in a checkout" in done.stderr
