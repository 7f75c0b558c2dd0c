"""APN and Wi-Fi out of `ttdn.toml`, as connections of NetworkManager: files that only root reads.

Passwords stand in those files alone, never on nmcli's command line.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Final

from edge_agent import durable
from edge_agent.identity.boot_file import BootFile, Wifi
from edge_agent.identity.texts import Text

CONNECTIONS: Final = Path("/etc/NetworkManager/system-connections")
_TIMEOUT_S: Final = 60.0


def connections(file: BootFile) -> dict[str, str]:
    """Name and keyfile of each connection that the file asks for. Pure."""
    found = {}
    if file.apn:
        found["ttdn-apn"] = _gsm(file)
    if file.wifi is not None:
        found["ttdn-wifi"] = _wifi(file.wifi)
    return found


def set_up(file: BootFile, folder: Path = CONNECTIONS) -> list[Text]:
    """Make what is asked for, if it is not there yet; what to tell of it. Nothing here stops an enrolment."""
    wanted = connections(file)
    if not wanted:
        return []
    if shutil.which("nmcli") is None:
        return [
            Text(
                "Máy này không có NetworkManager: APN/Wi-Fi trong tệp không được dùng, hãy đặt bằng công cụ khác.",
                "There is no NetworkManager here: APN and Wi-Fi of the file are not used; set them by other means.",
            )
        ]
    return [text for name, keyfile in wanted.items() if (text := _made(name, keyfile, folder)) is not None]


def _made(name: str, keyfile: str, folder: Path) -> Text | None:
    file = folder / f"{name}.nmconnection"
    try:
        if file.exists() and file.read_text(encoding="utf-8") == keyfile:
            return None
        folder.mkdir(parents=True, exist_ok=True)
        durable.replace_file(file, keyfile.encode())
        subprocess.run(["nmcli", "connection", "reload"], check=True, capture_output=True, timeout=_TIMEOUT_S)
        up = ["nmcli", "--wait", "0", "connection", "up", name]
        subprocess.run(up, check=False, capture_output=True, timeout=_TIMEOUT_S)  # it comes by itself once it can
    except (OSError, subprocess.SubprocessError) as error:
        return Text(f"Chưa đặt được kết nối {name}: {error}", f"The connection {name} could not be made: {error}")
    return Text(f"Đã đặt kết nối mạng {name}.", f"The connection {name} was made.")


def _gsm(file: BootFile) -> str:
    lines = ["[connection]", "id=ttdn-apn", "type=gsm", "autoconnect=true", "", "[gsm]", f"apn={_value(file.apn)}"]
    if file.apn_user:
        lines.append(f"username={_value(file.apn_user)}")
    if file.apn_password:
        lines += [f"password={_value(file.apn_password)}", "password-flags=0"]
    return "\n".join([*lines, *_ADDRESSES])


def _wifi(wifi: Wifi) -> str:
    lines = ["[connection]", "id=ttdn-wifi", "type=wifi", "autoconnect=true", ""]
    lines += ["[wifi]", "mode=infrastructure", f"ssid={_value(wifi.ssid)}"]
    if wifi.password:
        lines += ["", "[wifi-security]", "key-mgmt=wpa-psk", f"psk={_value(wifi.password)}"]
    return "\n".join([*lines, *_ADDRESSES])


_ADDRESSES: Final = ("", "[ipv4]", "method=auto", "", "[ipv6]", "method=auto", "")


def _value(text: str) -> str:
    """As a keyfile takes it: escapes, no second line, a space at the beginning kept."""
    plain = "".join(letter for letter in text if letter.isprintable()).replace("\\", "\\\\").replace(";", "\\;")
    return "\\s" + plain[1:] if plain.startswith(" ") else plain
