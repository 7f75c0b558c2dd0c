"""The documented list of fault codes: what a technician finds in the hub, and what to do about each.

Every `Trouble` and every `fault` event carries one of these. A test keeps the list and its uses together.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

CODES: Final = MappingProxyType(
    {
        "probe_failed": "A probe cannot look; its reason says at what. Nothing is known of that until it can.",
        "probe_hung": "A probe has not come back from looking. Restart the player it watches, then the agent.",
        "flapping": "What speaks for a play changes many times a minute; it is recorded at its weakest.",
        "outbox_full": "Events were refused while the outbox was full. Bring the link to the hub back; check the disk.",
        "outbox_damaged": "The outbox was unreadable and set aside. Keep that file; replace the SD card soon.",
        "outbox_newer": "A later version's outbox was set aside. Keep the file; its events come after the next update.",
        "certificate_expiring": "The device's certificate ends soon and is not renewed. Check the way to the hub.",
        "certificate_expired": "The device's certificate has ended. Check the link; else enrol with a new code.",
        "certificate_refused": "The hub does not renew the certificate. Ask the province; enrol with a new code.",
        "certificate_unusable": "Brokers refuse the newest certificate, the one before serves. Tell the province.",
        "data_budget": "The month's mobile data is nearly or all used; less is said, nothing lost. See what uses it.",
        "over_temperature": "The machine is too hot and slows down. Free its vents, shade the cabinet, check the fan.",
        "undervoltage": "The board's supply voltage dropped. Use its own power supply and a short, thick cable.",
        "low_disk": "The agent's disk is nearly full; old events go first. Remove what else fills it.",
        "storage_failing": "Storage returns errors or forgets what is written. Replace the SD card or disk soon.",
        "screen_missing": "The machine has no output of the configured name. Compare it with /sys/class/drm.",
        "screen_disconnected": "No display answers on the output. Check the display's cable and power.",
        "browser_gone": "No browser answers; nothing of it is on screen. See why it ended; start the kiosk again.",
        "browser_frozen": "The browser runs and does not answer; its last picture may stand. Restart it.",
        "page_missing": "The browser runs with no page open. Restart the kiosk; check its start address.",
        "page_load_failed": "A page could not be loaded; visitors see an error. Check network, server and address.",
        "page_crashed": "A page's renderer died; visitors see an error. Reload it; if it recurs, check free memory.",
        "page_hung": "A page does not answer: a script without end or an open dialog. Reload it; tell its author.",
        "page_hidden": "The page is open but minimised or behind an empty tab. Bring the kiosk's window to the front.",
        "page_not_drawn": "A page answers, but no frames of it are drawn. Restart the browser; check the display.",
        "player_gone": "No mpv listens at its socket. See why it ended; check --input-ipc-server; start it again.",
        "player_frozen": "mpv runs and does not answer; its last picture may stand. Restart it; check the storage.",
        "video_stuck": "A video's position stands still. Check the file, the storage it is on and the video output.",
        "no_picture": "A video's sound plays and no picture. Check mpv's options (--vid, --vo) and the display.",
        "media_failed": "mpv could not play the files in the reason. Copy them to the kiosk again; check their format.",
    }
)
