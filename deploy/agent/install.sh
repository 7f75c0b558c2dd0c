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

say() { # VIETNAMESE ENGLISH
    [ "$lang" = en ] || printf '%s\n' "$1"
    [ "$lang" = vi ] || printf '%s%s\n' "$([ "$lang" = en ] || echo '    ')" "$2"
}

fail() { # CODE VIETNAMESE ENGLISH
    { say "LỖI: $2" "ERROR: $3"; } >&2
    exit "$1"
}

# Say a step that is due. Succeeds if it is to be done, not only told.
due() { # VIETNAMESE ENGLISH
    steps=$((steps + 1))
    if [ -n "$check" ]; then
        say "SẼ LÀM: $1" "WOULD DO: $2"
        return 1
    fi
    say "- $1" "$2"
}

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

find_python() {
    command -v python3 >/dev/null 2>&1 || fail 2 \
        "máy chưa có Python. Cài:  apt-get update && apt-get install -y --no-install-recommends python3" \
        "there is no Python. Install it:  apt-get update && apt-get install -y --no-install-recommends python3"
    about=$(python3 -c 'import sys
print("%d.%d" % sys.version_info[:2], getattr(sys.implementation, "_multiarch", "").split("-")[0] or "unknown")')
    python_version=${about% *}
    python_arch=${about#* }
    python3 -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || fail 2 \
        "cần Python 3.11 trở lên (Debian 12, Raspberry Pi OS Bookworm trở lên); ở đây là $python_version" \
        "Python 3.11 or newer is needed (Debian 12, Raspberry Pi OS Bookworm or newer); this is $python_version"
}

# Leaves a folder of wheels in $folder: the one given, ours, or one made now from the checkout, over the network.
find_folder() {
    if [ -z "$folder" ] && [ -e "$here/SHA256SUMS" ]; then
        folder=$here
    fi
    if [ -n "$folder" ]; then
        [ -e "$folder/SHA256SUMS" ] || fail 2 \
            "$folder không phải thư mục do wheels.sh tạo (không có SHA256SUMS)" \
            "$folder was not made by wheels.sh (it has no SHA256SUMS)"
        folder=$(CDPATH='' cd -- "$folder" && pwd -P)
        return
    fi
    due "tải các gói cần thiết (wheels.sh)" "fetch the packages (wheels.sh)" || return 0
    work=$(mktemp -d)
    trap 'rm -rf -- "$work"' EXIT
    sh "$here/wheels.sh" --native --output "$work/wheels" >&2 || fail 1 \
        "không tải được các gói; xem thông báo ở trên, hoặc dùng --offline" \
        "the packages could not be fetched; see above, or use --offline"
    folder=$work/wheels
}

fact() { # NAME: from the folder's own description
    sed -n "s/^$1=//p" "$folder/FOLDER"
}

check_folder() {
    [ -n "$folder" ] || return 0
    # Names are compared, too: a file that is not in the list would be installed unchecked.
    (cd "$folder" && sha256sum --check --quiet --strict SHA256SUMS) >/dev/null 2>&1 || fail 1 \
        "thư mục $folder bị hỏng hoặc chép thiếu; chép lại. Xem: cd $folder && sha256sum -c SHA256SUMS" \
        "the folder $folder is damaged or not complete; copy it again. See: cd $folder && sha256sum -c SHA256SUMS"
    for wheel in "$folder"/*.whl; do
        grep -qF "  ${wheel##*/}" "$folder/SHA256SUMS" || fail 1 \
            "$wheel không có trong SHA256SUMS; xóa tệp đó hoặc chép lại thư mục" \
            "$wheel is not in SHA256SUMS; remove it, or copy the folder again"
    done
    if [ "$(fact python)" != "$python_version" ] || [ "$(fact arch)" != "$python_arch" ]; then
        fail 2 "thư mục này dành cho $(fact arch), Python $(fact python); máy này là $python_arch, Python $python_version. \
Tạo lại: sh wheels.sh --arch $python_arch --python $python_version" \
            "the folder is for $(fact arch), Python $(fact python); this machine is $python_arch, Python $python_version. \
Make another: sh wheels.sh --arch $python_arch --python $python_version"
    fi
    id=$(sha256sum "$folder/SHA256SUMS" | cut -c 1-16)
}

hold_lock() {
    mkdir -p "$opt"
    exec 9>"$opt/lock"
    flock -n 9 || fail 1 "một lần cài hoặc cập nhật khác đang chạy; chờ xong rồi chạy lại" \
        "another installation or update is under way; wait for it, then start again"
}

# -- files -------------------------------------------------------------------------------------------------------------

put() { # SOURCE TARGET: one step, durable, only if it differs; leaves `yes` in $changed
    ! cmp -s "$1" "$2" || return 0
    due "ghi $2" "write $2" || return 0
    mkdir -p "$(dirname -- "$2")"
    cp -- "$1" "$2.new"
    chmod 0644 "$2.new"
    sync -- "$2.new"
    mv -f -- "$2.new" "$2"
    changed=yes
}

put_once() { # SOURCE TARGET: what is there already is a technician's
    [ -e "$2" ] || put "$1" "$2"
}

point() { # TARGET LINK: by one rename
    [ "$(readlink "$2" || :)" != "$1" ] || return 0
    due "trỏ $2 -> $1" "point $2 -> $1" || return 0
    mkdir -p "$(dirname -- "$2")"
    rm -f -- "$2.new"
    ln -s -- "$1" "$2.new"
    mv -fT -- "$2.new" "$2"
    sync -- "$(dirname -- "$2")"
}

# -- the virtual environment ---------------------------------------------------------------------------------------------

is_complete() { # SLOT: whether it holds this very folder's packages, and runs
    [ "$(cat "$opt/$1/complete" 2>/dev/null)" = "$id" ] && "$opt/$1/bin/ttdn-agent" --help >/dev/null 2>&1
}

choose_slot() { # leaves it in $slot
    in_use=$(readlink "$opt/current" 2>/dev/null || :)
    if [ -n "$in_use" ] && [ -n "$folder" ] && is_complete "$in_use"; then
        slot=$in_use
    elif [ "$in_use" = a ]; then
        slot=b
    else
        slot=a
    fi
}

build() {
    { [ -z "$folder" ] || ! is_complete "$slot"; } || return 0
    due "cài ttdn-agent vào $opt/$slot (mất một đến ba phút)" "install ttdn-agent into $opt/$slot (one to three minutes)" ||
        return 0
    rm -rf -- "${opt:?}/$slot"
    log=$(mktemp)
    if ! { python3 -m venv --without-pip "$opt/$slot" && install_packages; } >"$log" 2>&1; then
        tail -n 15 "$log" >&2
        rm -f -- "$log"
        fail 1 "không cài được các gói; thông báo của pip ở trên. Thẻ nhớ còn chỗ không?  df -h $opt" \
            "the packages could not be installed; pip's own words are above. Is the card full?  df -h $opt"
    fi
    rm -f -- "$log"
    "$opt/$slot/bin/ttdn-agent" --help >/dev/null || fail 1 "ttdn-agent không chạy được trên máy này" \
        "ttdn-agent does not run on this machine"
    sync -f "$opt/$slot" # all of it, before the mark that says so
    printf '%s\n' "$id" >"$opt/$slot/complete"
    sync -f "$opt/$slot"
}

# pip's wheel runs as a zip: a minimal Debian has neither pip nor ensurepip.
install_packages() {
    set -- "$folder"/pip-*.whl
    "$opt/$slot/bin/python" "$1/pip" install --no-index --find-links "$folder" --require-hashes --no-deps \
        --no-input --progress-bar off --requirement "$folder/requirements.txt"
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
    if said=$("$command" check-config 2>&1); then
        say "cấu hình tốt: $said" "the configuration is well: $said"
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
