#!/bin/sh
# ttdn-broker or ttdn-proxy reads its files again if one of them is new: files-changed.sh broker|proxy
# Started by ttdn-files@.path and, for what that did not see, by ttdn-files@.timer.
set -eu

folder=${TTDN_FOLDER:-/var/lib/ttdn-hub}/$1
seen=${TTDN_SEEN:-/run/ttdn-files}/$1

is_new() { # whether something is newer than the last time we told; a file half written begins with a dot
    [ ! -e "$seen" ] || [ -n "$(find "$folder" -newer "$seen" -not -name '.*' -print -quit)" ]
}

while is_new; do
    : >"$seen.next" # the time before the reload: what comes during it is new once more
    sleep 1         # certificate and list are written one after the other, and a file's time is as coarse as a tick
    # Not started yet, or being started: it reads the new files anyway.
    systemctl try-reload-or-restart "ttdn-$1.service"
    mv -- "$seen.next" "$seen"
    echo "ttdn-$1: read again"
done
