#!/bin/sh
# Installs ttdn-agent on Debian 12/13 or Raspberry Pi OS: install.sh --help
#
#   /opt/ttdn-agent/a, b     two virtual environments, root's; each is built at its place and complete once it holds
#                            the file `complete`, which is written last
#   /opt/ttdn-agent/uninstall.sh
#   /opt/ttdn-agent/current  a link to the one in use, replaced by one rename; `lock` is held meanwhile
# Every step looks first and is done by a rename at its end, so a run that was cut off, also by a loss of power, is made
# good by the next one. What a technician may have edited (agent.toml, release.pub, drop-ins) is never overwritten.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
program=ttdn-agent
opt=/opt/ttdn-agent
etc=/etc/ttdn-agent
state=/var/lib/ttdn-agent
command=/usr/local/bin/ttdn-agent
user=ttdn-agent
PATH=$PATH:/usr/sbin:/sbin
# No Python environment around us may reach into ours; pip writes no cache below root's home.
unset PYTHONHOME PYTHONPATH PIP_TARGET PIP_PREFIX PIP_PYTHON PIP_ROOT PIP_REQUIREMENT PIP_CONSTRAINT
export PIP_CONFIG_FILE=/dev/null PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PIP_USER=0

usage() {
    cat <<'END_OF_HELP'
Cách dùng: sudo sh install.sh [--check] [--offline THƯ_MỤC] [--no-start] [--lang vi|en]
Cài ttdn-agent, hoặc cài lại, nâng bản. Chạy lại bao nhiêu lần cũng được, kể cả khi lần trước bị mất điện giữa chừng.
  --check            chỉ nói sẽ làm gì, không thay đổi gì
  --offline THƯ_MỤC  cài từ thư mục do wheels.sh tạo, không cần mạng
                     (mặc định: thư mục chứa install.sh, nếu đó là thư mục như vậy)
  --no-start         cài nhưng chưa chạy
  --lang vi|en       chỉ một ngôn ngữ (mặc định: tiếng Việt trước, tiếng Anh sau)
Máy 32 bit (armv7l): chạy  sh wheels.sh --native  ngay trên một máy như vậy, có python3-pip, python3-dev, gcc và libffi-dev.

usage: sudo sh install.sh [--check] [--offline FOLDER] [--no-start] [--lang vi|en]
Install ttdn-agent, again or anew. Run it as often as you like, also after a run that was cut off.
  --check            only say what would be done
  --offline FOLDER   from a folder made by wheels.sh, without a network
                     (default: the folder of install.sh, if it is one)
  --no-start         install, but do not start yet
  --lang vi|en       one language only (default: Vietnamese first, then English)
32-bit (armv7l): run  sh wheels.sh --native  on such a machine, with python3-pip, python3-dev, gcc and libffi-dev.

Mã kết thúc · exit codes: 0 xong · done; 1 không cài được · failed; 2 dùng sai hoặc thiếu · wrong use, or something missing
END_OF_HELP
}

shared=$here/steps.sh
[ -e "$shared" ] || shared=$here/../steps.sh # in a checkout
# shellcheck source=deploy/steps.sh
. "$shared"

read_arguments() {
    check='' folder='' start=yes lang=both
    while [ $# -gt 0 ]; do
        case $1 in
            -h | --help) usage && exit 0 ;;
            --check) check=yes ;;
            --no-start) start= ;;
            --offline | --lang)
                [ $# -ge 2 ] || fail 2 "$1 cần một giá trị; xem --help" "$1 needs a value; see --help"
                case $1 in --offline) folder=$2 ;; *) lang=$2 ;; esac
                shift
                ;;
            *) fail 2 "không hiểu $1; xem --help" "$1 is not understood; see --help" ;;
        esac
        shift
    done
    case $lang in
        vi | en | both) ;;
        *) wrong=$lang lang=both && fail 2 "--lang $wrong: chỉ có vi, en" "--lang $wrong: there are vi and en" ;;
    esac
}

# Leaves a folder of wheels in $folder: the one given, ours, or one made now from the checkout, over the network.
find_folder() {
    ! take_folder || return 0
    due "tải các gói cần thiết (wheels.sh)" "fetch the packages (wheels.sh)" || return 0
    work=$(mktemp -d)
    trap 'rm -rf -- "$work"' EXIT
    sh "$here/wheels.sh" --native --output "$work/wheels" >&2 || fail 1 \
        "không tải được các gói; xem thông báo ở trên, hoặc dùng --offline" \
        "the packages could not be fetched; see above, or use --offline"
    folder=$work/wheels
}

# -- users and folders -----------------------------------------------------------------------------------------------------

make_users() {
    if getent passwd "$user" >/dev/null && getent group ttdn-screen >/dev/null &&
        id -nG "$user" 2>/dev/null | grep -qw ttdn-screen; then
        return 0
    fi
    due "tạo người dùng $user và nhóm ttdn-screen" "make the user $user and the group ttdn-screen" || return 0
    if command -v systemd-sysusers >/dev/null 2>&1; then
        systemd-sysusers /etc/sysusers.d/ttdn-agent.conf
    else
        getent group ttdn-screen >/dev/null || groupadd --system ttdn-screen
        getent passwd "$user" >/dev/null ||
            useradd --system --user-group --home-dir "$state" --no-create-home --shell /usr/sbin/nologin "$user"
        usermod --append --groups ttdn-screen "$user"
    fi
}

make_folders() {
    if [ "$(stat -c '%U %a' "$state" 2>/dev/null)" = "$user 750" ] &&
        [ "$(stat -c '%G %a' /run/ttdn-screen 2>/dev/null)" = "ttdn-screen 2770" ] && [ -d /run/ttdn-agent ]; then
        return 0
    fi
    due "tạo thư mục $state, /run/ttdn-agent, /run/ttdn-screen" "make $state, /run/ttdn-agent, /run/ttdn-screen" || return 0
    if command -v systemd-tmpfiles >/dev/null 2>&1; then
        systemd-tmpfiles --create /etc/tmpfiles.d/ttdn-agent.conf
    else
        for made in "$state" /run/ttdn-agent; do
            mkdir -p "$made" && chown "$user:$user" "$made" && chmod 0750 "$made"
        done
        mkdir -p /run/ttdn-screen && chgrp ttdn-screen /run/ttdn-screen && chmod 2770 /run/ttdn-screen
    fi
}

make_settings() {
    put_once "$parts/agent.first.toml" "$etc/agent.toml"
    if [ -e "$parts/release.pub" ]; then
        put_once "$parts/release.pub" "$etc/release.pub"
        cmp -s "$parts/release.pub" "$etc/release.pub" || [ -n "$check" ] || say \
            "CHÚ Ý: $etc/release.pub khác với khóa trong thư mục cài; giữ khóa cũ. Hỏi trung tâm nếu khóa đã đổi." \
            "NOTE: $etc/release.pub differs from the folder's key; the old one stays. Ask the hub if the key was changed."
    fi
}

# -- units -----------------------------------------------------------------------------------------------------------------

put_units() {
    changed=
    for unit in "$parts"/systemd/*.service "$parts"/systemd/*.path; do
        put "$unit" "/etc/systemd/system/${unit##*/}"
    done
}

enable_units() {
    command -v systemctl >/dev/null 2>&1 || {
        say "CHÚ Ý: máy không có systemd; ttdn-agent không tự chạy" "NOTE: there is no systemd; ttdn-agent does not start by itself"
        return 0
    }
    for unit in ttdn-agent.service ttdn-agent-first-boot.service ttdn-agent-update.service ttdn-agent-update.path; do
        systemctl is-enabled --quiet "$unit" 2>/dev/null || {
            due "cho $unit chạy khi bật máy" "start $unit at boot" && systemctl enable --quiet "$unit"
        } || [ -n "$check" ]
    done
}

start_agent() {
    [ -n "$start" ] && [ -d /run/systemd/system ] || return 0
    due "chạy lại ttdn-agent" "restart ttdn-agent" || return 0
    systemctl daemon-reload
    [ -z "$journal_changed" ] || systemctl try-restart systemd-journald.service
    systemctl restart --no-block ttdn-agent-first-boot.service ttdn-agent.service ttdn-agent-update.path
}

look_at_settings() {
    [ -z "$check" ] || return 0
    if said=$("$command" check-config --lang vi 2>&1); then
        say "Cấu hình $said" "The configuration $("$command" check-config --lang en)"
    else
        say "CẦN LÀM: $etc/agent.toml chưa dùng được: $said" "TO DO: $etc/agent.toml cannot be used yet: $said"
    fi
}

# --------------------------------------------------------------------------------------------------------------------------

umask 022
steps=0 work='' id=''
read_arguments "$@"
find_python
[ -n "$check" ] || [ "$(id -u)" -eq 0 ] || fail 2 "cần quyền root: sudo sh $0" "root is needed: sudo sh $0"
[ -n "$check" ] || hold_lock
find_folder
check_folder
parts=${folder:-$here}
choose_slot
build
put "$parts/systemd/ttdn-agent.sysusers" /etc/sysusers.d/ttdn-agent.conf
put "$parts/systemd/ttdn-agent.tmpfiles" /etc/tmpfiles.d/ttdn-agent.conf
changed=
put "$parts/systemd/ttdn-agent.journald" /etc/systemd/journald.conf.d/ttdn-agent.conf
journal_changed=$changed
make_users
make_folders
make_settings
put "$parts/uninstall.sh" "$opt/uninstall.sh"
point "$slot" "$opt/current"
# What is installed by hand is not on trial: an update that was under way is over.
point "$slot" "$opt/good"
[ -n "$check" ] || rm -f /var/lib/ttdn-agent-update/journal.json
point "$opt/current/bin/ttdn-agent" "$command"
put_units
enable_units
if [ -n "$check" ]; then
    [ "$steps" -gt 0 ] || say "Không có gì phải làm: đã cài xong." "Nothing to do: it is installed."
    exit 0
fi
sync -f "$opt"
[ "$steps" -eq 0 ] || start_agent
if [ "$steps" -eq 0 ]; then
    say "Không có gì phải làm: đã cài xong." "Nothing to do: it is installed."
else
    say "Đã cài xong ttdn-agent $(fact version)." "ttdn-agent $(fact version) is installed."
fi
look_at_settings
say "Tiếp theo: sudo ttdn-agent enrol ĐỊA_CHỈ MÃ (nếu chưa đăng ký), rồi sudo ttdn-agent doctor" \
    "Next: sudo ttdn-agent enrol URL CODE (unless enrolled), then sudo ttdn-agent doctor"
