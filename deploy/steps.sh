# shellcheck shell=sh disable=SC2154,SC2034 # $lang, $check, $opt, $program are the caller's, $changed is for it
# Steps that the installers of agent and hub share; they source this file after setting
#   program  ttdn-agent or ttdn-hub      opt  its folder below /opt      lang  vi, en or both
# Every step looks first and is done by a rename at its end, so that a run that was cut off is made good by the next.

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

# The folder of wheels that was given, or ours; fails where there is none.
take_folder() {
    if [ -z "$folder" ] && [ -e "$here/SHA256SUMS" ]; then
        folder=$here
    fi
    [ -n "$folder" ] || return 1
    [ -e "$folder/SHA256SUMS" ] || fail 2 \
        "$folder không phải thư mục do wheels.sh tạo (không có SHA256SUMS)" \
        "$folder was not made by wheels.sh (it has no SHA256SUMS)"
    folder=$(CDPATH='' cd -- "$folder" && pwd -P)
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
    [ "$(fact program)" = "$program" ] || fail 2 "thư mục $folder không phải của $program mà của $(fact program)" \
        "the folder $folder is not for $program but for $(fact program)"
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
    [ "$(cat "$opt/$1/complete" 2>/dev/null)" = "$id" ] && "$opt/$1/bin/$program" --help >/dev/null 2>&1
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
    due "cài $program vào $opt/$slot (mất một đến ba phút)" "install $program into $opt/$slot (one to three minutes)" ||
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
    "$opt/$slot/bin/$program" --help >/dev/null || fail 1 "$program không chạy được trên máy này" \
        "$program does not run on this machine"
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
