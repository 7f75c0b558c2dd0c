#!/bin/sh
# Takes ttdn-agent off this machine: uninstall.sh --help
set -eu

opt=/opt/ttdn-agent
etc=/etc/ttdn-agent
state=/var/lib/ttdn-agent
command=/usr/local/bin/ttdn-agent
PATH=$PATH:/usr/sbin:/sbin

usage() {
    cat <<'END_OF_HELP'
Cách dùng: sudo sh uninstall.sh [--purge] [--lang vi|en]
Gỡ ttdn-agent. Dữ liệu chưa gửi, danh tính và cấu hình được giữ lại; cài lại là chạy tiếp.
  --purge       xóa cả dữ liệu, danh tính, cấu hình và người dùng: sự kiện chưa gửi sẽ MẤT
  --lang vi|en  chỉ một ngôn ngữ

usage: sudo sh uninstall.sh [--purge] [--lang vi|en]
Take ttdn-agent off. What was not delivered, the identity and the configuration stay; install again and it goes on.
  --purge       remove these and the user, too: events that were not delivered are LOST
  --lang vi|en  one language only
END_OF_HELP
}

say() { # VIETNAMESE ENGLISH
    [ "$lang" = en ] || printf '%s\n' "$1"
    [ "$lang" = vi ] || printf '%s%s\n' "$([ "$lang" = en ] || echo '    ')" "$2"
}

fail() { # VIETNAMESE ENGLISH
    { say "LỖI: $1" "ERROR: $2"; } >&2
    exit 2
}

purge='' lang=both
while [ $# -gt 0 ]; do
    case $1 in
        -h | --help) usage && exit 0 ;;
        --purge) purge=yes ;;
        --lang)
            case ${2:-} in
                vi | en) lang=$2 ;;
                *) fail "--lang: chỉ có vi, en" "--lang: there are vi and en" ;;
            esac
            shift
            ;;
        *) fail "không hiểu $1; xem --help" "$1 is not understood; see --help" ;;
    esac
    shift
done
[ "$(id -u)" -eq 0 ] || fail "cần quyền root: sudo sh $0" "root is needed: sudo sh $0"

# Leaves in $held how many events the hub has not confirmed; nothing if that cannot be told.
count_events() {
    held=
    [ -e "$state/outbox.db" ] || { held=0 && return 0; }
    ! command -v python3 >/dev/null 2>&1 || held=$(python3 - "$state/outbox.db" <<'PYTHON' 2>/dev/null || :
import sqlite3
import sys

# Not `ro`: an agent that was killed left a journal, which has to be read, too. Files keep their owner.
connection = sqlite3.connect(f"file:{sys.argv[1]}?mode=rw", uri=True)
print(connection.execute("""
    SELECT count(*) FROM event e WHERE NOT EXISTS (
        SELECT 1 FROM covered c WHERE c.stream = e.stream AND e.seq BETWEEN c.first AND c.last)
""").fetchone()[0])
PYTHON
    )
}

if command -v systemctl >/dev/null 2>&1; then
    set -- ttdn-agent-update.path ttdn-agent-update.service ttdn-agent.service ttdn-agent-first-boot.service
    [ ! -d /run/systemd/system ] || systemctl stop "$@" 2>/dev/null || :
    systemctl disable --quiet "$@" 2>/dev/null || :
fi
count_events
exec 9>/dev/null
[ ! -d "$opt" ] || exec 9>"$opt/lock"
[ ! -d "$opt" ] || flock -n 9 || fail "một lần cài hoặc cập nhật đang chạy; chờ xong" "an installation or update is under way; wait"
# What leads to the programs first, so that a run that is cut off leaves nothing that half works.
rm -f -- "$command" /etc/systemd/system/ttdn-agent.service /etc/systemd/system/ttdn-agent-first-boot.service \
    /etc/systemd/system/ttdn-agent-update.service /etc/systemd/system/ttdn-agent-update.path \
    /etc/systemd/journald.conf.d/ttdn-agent.conf
rm -f -- "$opt/current" "$opt/good"
rm -rf -- "$opt" /run/ttdn-agent
[ ! -d /run/systemd/system ] || systemctl daemon-reload
say "Đã gỡ ttdn-agent." "ttdn-agent was removed."

if [ -n "$purge" ]; then
    rm -rf -- "$state" "$state-update" "$etc" /run/ttdn-screen
    rm -f -- /etc/sysusers.d/ttdn-agent.conf /etc/tmpfiles.d/ttdn-agent.conf
    ! getent passwd ttdn-agent >/dev/null || userdel ttdn-agent
    for group in ttdn-agent ttdn-screen; do
        ! getent group "$group" >/dev/null || groupdel "$group" 2>/dev/null || say \
            "Nhóm $group còn người dùng khác nên được giữ lại." "The group $group is still some user's own, and stays."
    done
    say "Đã xóa cả dữ liệu, danh tính và cấu hình; ĐÃ MẤT số sự kiện trung tâm chưa nhận: ${held:-không rõ}." \
        "Data, identity and configuration were removed; events that were not delivered, and are LOST: ${held:-unknown}."
    say "Hãy thu hồi thiết bị ở trung tâm: ttdn-hub device revoke" "Revoke the device at the hub: ttdn-hub device revoke"
    exit 0
fi
say "Giữ lại: $state (số sự kiện trung tâm chưa nhận: ${held:-không rõ})," \
    "Left: $state (events that were not delivered: ${held:-unknown}),"
say "  $etc, người dùng ttdn-agent, nhóm ttdn-screen. Xóa hết: sudo sh $0 --purge" \
    "  $etc, the user ttdn-agent, the group ttdn-screen. To remove all: sudo sh $0 --purge"
