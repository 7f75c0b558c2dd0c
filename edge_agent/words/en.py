"""English: the texts of commands and pages for technicians. Keys and fields are those of `vi`."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from edge_agent.faults import CODES

TITLES: Final = MappingProxyType(
    {
        "config": "Configuration",
        "service": "Agent",
        "restarts": "Restarts",
        "autostart": "Start at boot",
        "modem": "SIM and signal",
        "network": "Network",
        "dns": "Names",
        "certificate": "Certificate",
        "clock": "Clock",
        "tls": "TLS",
        "broker": "Hub",
        "receipt": "Receipt",
        "storage": "SD card",
        "power": "Power",
        "temperature": "Temperature",
        "probe": "What is played",
        "screen": "Screen",
        "outbox": "Outbox",
        "losses": "Losses",
        "budget": "Mobile data",
    }
)

FOUND: Final = MappingProxyType(
    {
        "check.hangs": ("not done after {seconds} s", "Run it again; if it stays so, restart the machine."),
        "check.bug": ("a bug of the doctor itself: {reason}", "Send this line to the province's staff."),
        "config.unusable": ("cannot be used: {reason}", "Correct the file, then run: sudo ttdn-agent check-config"),
        "config.well": ("{device}, file {file}, watching: {probes}", ""),
        "service.stopped": (
            "the agent does not run (systemd: {state})",
            "Run: sudo systemctl start ttdn-agent. If it stops again, see: journalctl -u ttdn-agent -n 50",
        ),
        "service.hangs": (
            "the agent hangs, silent for {seconds} s",
            "Run: sudo systemctl restart ttdn-agent, and send its log to the province's staff.",
        ),
        "service.runs": ("runs, version {version}, process {pid}, for {hours} h", ""),
        "service.restarts": (
            "was restarted {count} times since boot",
            "See why: journalctl -u ttdn-agent -n 50, and send it to the province's staff.",
        ),
        "service.few_restarts": ("{count} since boot", ""),
        "service.not_enabled": ("the agent does not start at boot", "Run: sudo systemctl enable ttdn-agent"),
        "service.unreadable": ("its status cannot be read: {reason}", "Run this again with sudo."),
        "modem.no_sim": ("no SIM is seen", "Switch off, put the SIM in the right way round. Try it in a telephone."),
        "modem.locked": (
            "the SIM is locked ({lock})",
            "Put the SIM into a telephone, switch its PIN off, and put it back.",
        ),
        "modem.failed": ("the modem reports a failure: {reason}", "Unplug it for 10 s; try another USB port."),
        "modem.denied": (
            "the operator {operator} does not let the SIM in",
            "Check that the SIM is valid and has a data plan; call the operator.",
        ),
        "modem.sim_well": ("the SIM can be read, operator {operator}", ""),
        "modem.disabled": ("the modem's radio is off", "Run: sudo mmcli -m any --enable"),
        "modem.no_signal": (
            "no signal ({percent} %, {technology})",
            "Move the aerial up or to a window; try another operator's SIM.",
        ),
        "modem.weak": ("weak signal: {percent} % ({technology})", "Move the aerial up, or use an outdoor one."),
        "modem.signal_well": ("signal {percent} % ({technology})", ""),
        "modem.no_data": (
            "no data connection (APN: {apn})",
            "Compare the APN with the operator's; check that the plan has data left.",
        ),
        "modem.other_apn": ("uses the APN {apn}, {wanted} is configured", "Set the APN again."),
        "modem.apn_well": ("data connection by the APN {apn}", ""),
        "modem.unmanaged": (
            "there is a modem ({driver}) that ModemManager does not look after",
            "Run: sudo systemctl enable --now ModemManager",
        ),
        "modem.silent": ("the modem does not answer ModemManager", "Unplug it, wait 10 s, plug it in."),
        "network.no_route": (
            "no way out (there are: {have}; unplugged: {down})",
            "Plug in the cable, or switch Wi-Fi on, or see SIM and signal.",
        ),
        "network.no_address": (
            "{interface} has no address yet",
            "Wait a minute; if it stays so, restart the router or the modem.",
        ),
        "network.self_given": (
            "{interface} gave itself the address {address}: no router is seen",
            "Check the cable and the router (DHCP).",
        ),
        "network.no_carrier": ("{interface} has lost its cable", "Plug both ends in firmly; try another cable."),
        "network.well": ("{interface}, address {address}, gateway {gateway}", ""),
        "dns.not_found": (
            "{name} is not found ({reason})",
            "Check that the network is up; if it is, ask the province whether the name is right.",
        ),
        "dns.slow": ("{name} was found after {seconds} s", "The network or its resolver is slow; see SIM and signal."),
        "dns.well": ("{name} is {address}", ""),
        "certificate.own.expired": (
            "this device's certificate expired on {until}",
            "It renews itself once it is online; else ask for a code and run: sudo ttdn-agent enrol URL CODE --again",
        ),
        "certificate.own.soon": (
            "this device's certificate has {days} days left (until {until}) and was not renewed",
            "Mend what is wrong with network and hub here; if nothing is, tell the province's staff.",
        ),
        "certificate.own.not_renewed": (
            "this device's certificate has {days} days left (until {until}); it could not be renewed: {reason}",
            "It tries again by itself. If network and hub are well and it stays so, tell the province's staff.",
        ),
        "certificate.own.well": ("this device's certificate is good until {until} ({days} days)", ""),
        "certificate.authority.expired": ("the province's authority expired on {until}", "Tell the province's staff."),
        "certificate.authority.soon": (
            "the province's authority has {days} days left (until {until})",
            "Tell the province's staff.",
        ),
        "certificate.authority.well": ("the province's authority is good until {until}", ""),
        "certificate.future": (
            "the certificate begins on {since}, this clock says {now}",
            "The clock is wrong; see Clock. The agent connects all the same.",
        ),
        "certificate.none": (
            "not enrolled: there is no certificate",
            "Ask the province for a code, then run: sudo ttdn-agent enrol URL CODE",
        ),
        "certificate.unreadable": ("{file} cannot be read: {reason}", "Run this again with sudo."),
        "certificate.damaged": ("{file} is damaged: {reason}", "Enrol again with a new code; see SD card."),
        "clock.behind_floor": (
            "the clock is wrong: it says {now} UTC",
            "Bring the machine online: the hub's answer sets it right. What was recorded gets its time repaired.",
        ),
        "clock.behind_floor_known": (
            "the machine says {now} UTC, but the agent has the right time from the hub",
            "Better let NTP (UDP port 123) through the router.",
        ),
        "clock.far": (
            "the machine's clock ({now} UTC) is {seconds} s off the hub's",
            "Events have the right time all the same. Better let NTP (UDP port 123) through the router.",
        ),
        "clock.well": ("{now} UTC, synchronised, {seconds} s off", ""),
        "clock.by_hub": ("{now} UTC, right by the hub (no NTP), {seconds} s off", ""),
        "clock.unknown": (
            "not known to be right: {now} UTC",
            "Bring the machine online; times of events are repaired once the hub answers.",
        ),
        "tls.untrusted": (
            "{server}: the server's certificate is not right: {reason}",
            "Is the clock right? If so, something may sit in between: change the network, tell the province's staff.",
        ),
        "tls.refuses_us": (
            "{server} does not take this device's certificate ({reason})",
            "It has expired or was revoked. Tell the province's staff; ask for a new code.",
        ),
        "tls.tls": (
            "{server}: no TLS can be spoken ({reason})",
            "Wrong port, or the network blocks it. Check address and port; try another network.",
        ),
        "tls.no_name": ("{server}: the name is not found ({reason})", "See Names."),
        "tls.closed": ("{server}: refuses connections ({reason})", "Ask the province whether the hub runs."),
        "tls.timeout": (
            "{server}: no answer while TLS began ({reason})",
            "The signal is weak, or the network blocks this port; try another network.",
        ),
        "tls.unreachable": ("{server}: the connection broke ({reason})", "Try again; then try another network."),
        "tls.soon": (
            "{server}: the server's certificate has {days} days left (until {until})",
            "Tell the province's staff to renew it.",
        ),
        "tls.well": ("{server}: the server's certificate is right, until {until}", ""),
        "broker.no_list": ("there is no broker to go to: {reason}", "Enrol this device, or correct the configuration."),
        "broker.not_enrolled": (
            "no broker is known: this device is not enrolled",
            "Ask the province for a code, then run: sudo ttdn-agent enrol URL CODE",
        ),
        "broker.reached": ("{server}: its port is open", ""),
        "broker.let_in": ("{server}: lets this device in", ""),
        "broker.refuses": (
            "{server}: no way in: {reason}",
            "If that is the network, see above. If it refuses us, tell the province's staff.",
        ),
        "broker.no_name": ("{server}: the name is not found ({reason})", "See Names."),
        "broker.closed": (
            "{server}: refuses connections ({reason})",
            "Check address and port; ask the province whether the hub runs.",
        ),
        "broker.timeout": (
            "{server}: does not answer ({reason})",
            "The signal is weak, or the network blocks this port: try again, move the aerial, try another network.",
        ),
        "broker.unreachable": ("{server}: cannot be reached ({reason})", "See Network."),
        "receipt.offline": ("the agent has no connection: {reason}", "See network and hub above."),
        "receipt.begins": ("the agent has just started and is connecting", "Wait ten seconds, then run it again."),
        "receipt.none": (
            "connected, and the hub has not answered (for {seconds} s)",
            "Wait a minute. If it stays so, tell the province's staff: the hub's ingest does not run.",
        ),
        "receipt.old": (
            "the last receipt is {minutes} min old",
            "Tell the province's staff: the hub takes connections and does not answer.",
        ),
        "receipt.slow": ("the hub answers after {rtt_ms} ms", "The line is slow; see SIM and signal."),
        "receipt.well": ("the hub answered {seconds} s ago, there and back {rtt_ms} ms", ""),
        "receipt.no_answer": (
            "let in, and the hub did not answer within {seconds} s ({reason})",
            "Tell the province's staff: the hub's ingest does not run.",
        ),
        "receipt.answered": ("a hello was sent, and the hub answered after {rtt_ms} ms", ""),
        "receipt.no_broker": ("could not be tried: no broker lets us in", "Mend what is above first."),
        "power.low": (
            "the supply voltage is low: the machine may hang and spoil its SD card",
            "Use the machine's own power supply and a short, thick cable; never a television's USB port.",
        ),
        "power.well": ("enough voltage", ""),
        "temperature.hot": (
            "{celsius} °C (limit {limit})",
            "Free the vents, shade the cabinet, check the fan.",
        ),
        "temperature.well": ("{celsius} °C", ""),
        "storage.full": ("nearly full, {megabytes} MB free", "Remove what is not needed; old events would go first."),
        "storage.tight": ("{megabytes} MB free", "Better remove what is not needed."),
        "storage.room": ("{megabytes} MB free", ""),
        "storage.errors": ("the file system reports {count} errors", "Replace the card soon; what waits is on it."),
        "storage.no_errors": ("the file system reports no errors", ""),
        "storage.forgets": ("a test write failed: {reason}", "Replace the SD card."),
        "storage.keeps": ("a test write came back as it was", ""),
        "storage.worn": ("the storage is {percent} % worn", "Have another one ready."),
        "storage.fresh": ("the storage is {percent} % worn", ""),
        "storage.no_folder": (
            "there is no folder {folder}",
            "Install the agent (install.sh), or run it once: it makes the folder.",
        ),
        "storage.read_only": (
            "{folder} can be read only",
            "Restart the machine; if it stays so, replace the SD card.",
        ),
        "fault": ("{code}: {reason}", ""),
        "screen.blind": (
            "no display output can be looked at: {reason}",
            "See dtoverlay=vc4-kms-v3d in /boot/firmware/config.txt; without a screen take [probes.screen] out.",
        ),
        "screen.disconnected": ("{screen}: no display is seen", "Check the HDMI cable and the display's power."),
        "screen.asleep": ("{screen}: off or asleep", "As it should be out of hours; else switch the display on."),
        "screen.closed": ("{screen}: closed now, asleep", ""),
        "screen.dark": ("{screen}: its brightness is 0", "Turn the brightness up."),
        "screen.lit": ("{screen}: lit", ""),
        "screen.active": ("{screen}: connected and given a picture (whether it is lit, look yourself)", ""),
        "probe.blind": (
            "the player {probe} cannot be looked at: {reason}",
            "Check that the player runs, and the rights of the user ttdn-agent (group ttdn-screen).",
        ),
        "probe.nothing": ("the player {probe} plays nothing", "As it should be out of hours; else start it."),
        "probe.closed": ("closed now; the player {probe} plays nothing", ""),
        "probe.still": (
            "{screen}: {content} stands still or is covered (listed {listed}, reported {reported})",
            "Bring the player's window to the front; if the picture stands, restart the player.",
        ),
        "probe.sees": (
            "{screen}: {content} (listed: {listed}, reported: {reported}, rendering: {rendering})",
            "",
        ),
        "probe.none": ("no player is watched", "Add [probes.chromium] or [probes.mpv] to the configuration."),
        "outbox.full": (
            "full: {events} events, the oldest {hours} h, {megabytes} MB; {refused} were refused",
            "Bring the link to the hub back; remove no files.",
        ),
        "outbox.nearly_full": (
            "nearly full: {events} events wait, {megabytes} MB, the oldest {hours} h",
            "Bring the link to the hub back.",
        ),
        "outbox.old": (
            "{events} events wait, the oldest {hours} h ({megabytes} MB)",
            "Bring the link to the hub back; nothing is lost meanwhile.",
        ),
        "outbox.well": ("{events} events wait, the oldest {hours} h ({megabytes} MB)", ""),
        "outbox.unreadable": ("cannot be read: {reason}", "Run this again with sudo; if it stays so, see SD card."),
        "outbox.set_aside": (
            "{count} outboxes of a later version are set aside ({megabytes} MB)",
            "Delete none of them: their events are sent once a later version runs. Tell the province.",
        ),
        "outbox.losses": (
            "{count} events declared lost ({why}), {dropped} not kept",
            "See SD card and Hub; tell the province's staff.",
        ),
        "outbox.no_losses": ("none", ""),
        "budget.none": ("{used} MB used this month, no limit set", ""),
        "budget.well": ("{used} of the month's {budget} MB used", ""),
        "budget.saving": (
            "{used} of the month's {budget} MB used; the agent says less",
            "See whether something else uses the line; tell the province if the plan is too small.",
        ),
        "budget.spent": (
            "{used} of the month's {budget} MB used; the agent says as little as it can, nothing is lost",
            "Tell the province's staff: a larger plan, or a larger limit.",
        ),
    }
)

FAULTS: Final = CODES

WORDS: Final = MappingProxyType({"@yes": "yes", "@no": "no", "@unknown": "not known", "@on": "on", "@off": "off"})

PLAIN: Final = MappingProxyType(
    {
        "outcome.ok": "OK",
        "outcome.warn": "WARN",
        "outcome.fail": "FAIL",
        "doctor.heading": "Checking {device}",
        "doctor.checking": "checking: {title} ...",
        "doctor.summary": "{ok} ok, {warn} warnings, {fail} failures",
        "doctor.good": "All is well.",
        "doctor.shown": "Shown on the screen {where} for {seconds} s.",
        "doctor.not_shown": "Cannot be shown on the screen: {reason}",
        "screen.left": "The screen goes back to normal after {seconds} s.",
        "screen.more": "and {count} more",
        "check.well": "{file} is well: device {device}, probes: {probes}",
        "check.not_enrolled": "{file} is well: not enrolled yet, probes: {probes}",
        "check.no_probe": "none",
        "status.device": "device      {device}, agent {version}, pid {pid}",
        "status.stopped": "device      {device}; the agent does not run",
        "status.nobody": "device      not enrolled; the agent does not run",
        "status.renewal": "            renewed from {since} on",
        "status.renewal_failed": "            could not be renewed: {reason}",
        "status.online": "connection  online since {since}",
        "status.unanswered": "connection  in, and the hub has not answered; offline since {since}",
        "status.offline": "connection  offline since {since}",
        "status.receipt": "receipt     {ago} ago, there and back {rtt_ms} ms",
        "status.no_receipt": "receipt     none since the agent runs",
        "status.screen": "on screen   {screen}: {content} (since {since})",
        "status.facts": (
            "            listed {listed}, reported {reported}, rendering {rendering}, panel {panel}, frame {frame}"
        ),
        "status.nothing": "on screen   {screen}: the player {player} plays nothing",
        "status.no_player": "on screen   no player is watched",
        "status.waiting": "waiting     {events} events, the oldest {oldest} old",
        "status.outbox_error": "the outbox cannot be read: {reason}",
        "status.nothing_waits": "waiting     nothing",
        "status.losses": "losses      {count} events declared lost ({why})",
        "status.no_losses": "losses      none",
        "status.clock": "clock       {clock}",
        "status.clock.synced": "right",
        "status.clock.repaired": "repaired",
        "status.clock.estimated": "not known to be right",
        "status.certificate": "certificate until {until} ({days} days)",
        "status.no_certificate": "certificate none",
        "status.probes": "probes      {probes}",
        "status.set": "set by hub  revision {revision}; {hours}",
        "status.hours": "no opening hours",
        "status.open": "open now",
        "status.closed": "closed now",
        "status.data": "data        {used} MB this month",
        "status.data_of": "data        {used} of {budget} MB this month",
        "problem.silent": "it has not said anything for {seconds} s: restart it; see its log",
        "problem.full": "the outbox is full; {refused} events were refused: bring the link back",
        "problem.dropped": "{dropped} events could not be kept since the start: see its log",
        "problem.offline": "no connection to a broker: {reason}",
        "problem.none_tried": "none tried yet",
        "problem.probe": "probe {probe}: {error}",
        "problem.fault": "fault: {code}",
        "ago.seconds": "{count} s",
        "ago.minutes": "{count} min",
        "ago.hours": "{count} h",
        "ago.days": "{count} days",
        "page.title": "Information point check",
        "page.code": "Code",
        "page.enter": "Type the code of 6 digits that the command printed.",
        "page.open": "Open",
        "page.wrong": "Wrong code, or one that was used. Get a new one: sudo ttdn-agent page on",
        "page.wait": "Wrong too often. Wait {seconds} s, then try again.",
        "page.measuring": "Measuring ...",
        "page.measured": "Measured {seconds} s ago. Again every {every} s while this page is open.",
        "page.failed": "Could not be measured: {reason}",
        "page.again": "Measure now",
        "page.closes": "This page closes in {minutes} min. Wrong codes refused: {wrong}.",
        "page.what": (
            "This page measures the machine alone: network, hub, clock, SD card, power, players, screens, outbox. "
            "It holds nothing of visitors, no passwords and no keys."
        ),
        "page.other": "Tiếng Việt",
        "page.on": "The page is open for {minutes} min, on the local network only:",
        "page.secret": "Code (works once): {code}",
        "page.how_off": "It closes by itself. Close it now: sudo ttdn-agent page off",
        "page.is_off": "The page is closed.",
        "page.was_off": "The page is not open.",
        "page.is_on": "The page is open for another {minutes} min: {urls}",
        "page.busy": "The page is open; for a new code close it first: sudo ttdn-agent page off",
    }
)
