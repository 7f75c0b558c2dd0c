#!/bin/sh
# Takes ttdn-hub off this machine: uninstall.sh --help
set -eu

program=ttdn-hub
opt=/opt/ttdn-hub
etc=/etc/ttdn-hub
state=/var/lib/ttdn-hub
PATH=$PATH:/usr/sbin:/sbin

usage() {
    cat <<'END_OF_HELP'
Cách dùng: sudo sh uninstall.sh [--purge] [--lang vi|en]
Gỡ ttdn-hub. Cơ sở dữ liệu, trung tâm chứng thực và cấu hình được giữ lại; cài lại là chạy tiếp. PostgreSQL ở lại.
  --purge       xóa cả cơ sở dữ liệu, trung tâm chứng thực, cấu hình: mọi ki-ốt sẽ phải đăng ký lại
  --lang vi|en  chỉ một ngôn ngữ

usage: sudo sh uninstall.sh [--purge] [--lang vi|en]
Take ttdn-hub off. Database, certificate authority and settings stay; install again and it goes on. PostgreSQL stays.
  --purge       remove database, authority and settings, too: every kiosk will have to be enrolled again
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

exec 9>/dev/null
[ ! -d "$opt" ] || exec 9>"$opt/lock"
[ ! -d "$opt" ] || flock -n 9 || fail "một lần cài đang chạy; chờ xong" "an installation is under way; wait"
units=$(cd /etc/systemd/system && ls -d ttdn-hub-*.service ttdn-broker.service ttdn-proxy.service 2>/dev/null || :)
units="$units ttdn-files@broker.path ttdn-files@proxy.path ttdn-files@broker.timer ttdn-files@proxy.timer"
if command -v systemctl >/dev/null 2>&1; then
    # shellcheck disable=SC2086 # a list of words
    [ ! -d /run/systemd/system ] || systemctl stop $units 2>/dev/null || :
    # shellcheck disable=SC2086
    systemctl disable --quiet $units 2>/dev/null || :
fi
# What we masked may run again: at the next boot.
if [ -e "$opt/masked" ]; then
    while read -r service; do
        [ "$(readlink "/etc/systemd/system/$service.service" || :)" != /dev/null ] ||
            rm -f -- "/etc/systemd/system/$service.service"
    done <"$opt/masked"
fi
rm -f -- "/usr/local/bin/$program" /etc/systemd/system/ttdn-hub-*.service /etc/systemd/system/ttdn-broker.service \
    /etc/systemd/system/ttdn-proxy.service /etc/systemd/system/ttdn-files@.*
rm -f -- "$opt/current"
rm -rf -- "$opt"
[ ! -d /run/systemd/system ] || systemctl daemon-reload
say "Đã gỡ ttdn-hub." "ttdn-hub was removed."

if [ -n "$purge" ]; then
    for statement in 'DROP DATABASE IF EXISTS ttdn WITH (FORCE)' 'DROP ROLE IF EXISTS "ttdn-ingest"' 'DROP ROLE IF EXISTS "ttdn-hub"'; do
        (cd / && runuser -u postgres -- psql -X -q -c "$statement") ||
            say "CHÚ Ý: PostgreSQL không chạy; cơ sở dữ liệu ttdn chưa xóa." "NOTE: PostgreSQL does not run; its database ttdn stays."
    done
    rm -rf -- "$state" "$etc"
    rm -f -- /etc/sysusers.d/ttdn-hub.conf /etc/tmpfiles.d/ttdn-hub.conf /etc/postgresql/*/main/conf.d/ttdn-hub.conf
    for user in ttdn-ingest ttdn-proxy ttdn-hub; do
        ! getent passwd "$user" >/dev/null || userdel "$user"
        ! getent group "$user" >/dev/null || groupdel "$user"
    done
    say "Đã xóa cả cơ sở dữ liệu, trung tâm chứng thực và cấu hình." "Database, authority and settings were removed."
    exit 0
fi
say "Giữ lại: cơ sở dữ liệu ttdn, $state, $etc, người dùng ttdn-*. Xóa hết: chạy lại với --purge (chép uninstall.sh ra trước)" \
    "Left: database ttdn, $state, $etc, users ttdn-*. To remove all: run this again with --purge (copy uninstall.sh first)"
