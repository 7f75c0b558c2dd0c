#!/bin/sh
# Installs ttdn-hub with PostgreSQL, Mosquitto and nginx on Debian 12/13: install.sh --help
#
#   /opt/ttdn-hub/a, b, current   as of the agent: two virtual environments, and a link to the one in use
#   /etc/ttdn-hub/hub.toml        an administrator's from the first run on; mqtt-password beside it
#   /var/lib/ttdn-hub             authority (pki), and what Mosquitto and nginx read (broker, proxy)
# Every step looks first and is done by a rename or by one transaction at its end, so a run that was cut off, also by a
# loss of power, is made good by the next one. No secret is on a command line.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
program=ttdn-hub
opt=/opt/ttdn-hub
etc=/etc/ttdn-hub
state=/var/lib/ttdn-hub
command=/usr/local/bin/ttdn-hub
user=ttdn-hub
database=ttdn
packages='postgresql mosquitto nginx libnginx-mod-stream python3-venv'
# No unit of ours without its service; in the order in which they start.
services='ttdn-broker ttdn-hub-maintain ttdn-hub-ingest ttdn-hub-api ttdn-proxy'
watchers='ttdn-files@broker.path ttdn-files@broker.timer ttdn-files@proxy.path ttdn-files@proxy.timer'
PATH=$PATH:/usr/sbin:/sbin
unset PYTHONHOME PYTHONPATH PIP_TARGET PIP_PREFIX PIP_PYTHON PIP_ROOT PIP_REQUIREMENT PIP_CONSTRAINT
unset PGHOST PGPORT PGUSER PGPASSWORD PGDATABASE PGOPTIONS PGSERVICE TTDN_HUB_CONFIG
export PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PIP_USER=0
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8

usage() {
    cat <<'END_OF_HELP'
Cách dùng: sudo sh install.sh [--check] --name TÊN --mqtt-name TÊN [--offline THƯ_MỤC] [--no-start] [--lang vi|en]
Cài trung tâm ttdn-hub cùng PostgreSQL, Mosquitto, nginx; cài lại hoặc nâng bản. Chạy lại bao nhiêu lần cũng được.
  --check            chỉ nói sẽ làm gì và còn thiếu gì, không thay đổi gì
  --name TÊN         tên miền của trung tâm (HTTPS, đăng ký ki-ốt), như ttdn.example.vn; chỉ cần lần đầu
  --mqtt-name TÊN    tên miền của máy chủ MQTT, khác tên trên, như mqtt.ttdn.example.vn; chỉ cần lần đầu
  --offline THƯ_MỤC  cài từ thư mục do  wheels.sh --hub  tạo (mặc định: thư mục chứa install.sh, nếu là thư mục như vậy);
                     không có thì tải từ kho gói Python
  --no-start         cài nhưng chưa chạy
  --lang vi|en       chỉ một ngôn ngữ (mặc định: tiếng Việt trước, tiếng Anh sau)
TimescaleDB: thêm kho gói của nhà cung cấp và cài gói của họ TRƯỚC; không có thì dùng PostgreSQL thường (xem cai-dat-hub.md).

usage: sudo sh install.sh [--check] --name NAME --mqtt-name NAME [--offline FOLDER] [--no-start] [--lang vi|en]
Install ttdn-hub with PostgreSQL, Mosquitto and nginx, again or anew. Run it as often as you like.
  --check            only say what would be done, and what is missing
  --name NAME        the hub's own name (HTTPS, enrolment), as ttdn.example.vn; needed the first time only
  --mqtt-name NAME   the broker's name, another one, as mqtt.ttdn.example.vn; needed the first time only
  --offline FOLDER   from a folder made by  wheels.sh --hub  (default: the folder of install.sh, if it is one);
                     else packages come from the Python package index
  --no-start         install, but do not start yet
  --lang vi|en       one language only (default: Vietnamese first, then English)
TimescaleDB: add its vendor's packages and install theirs BEFORE; else it is plain PostgreSQL (see install-hub.md).

Mã kết thúc · exit codes: 0 xong · done; 1 không cài được · failed; 2 dùng sai hoặc thiếu · wrong use, or something missing
END_OF_HELP
}

shared=$here/steps.sh
[ -e "$shared" ] || shared=$here/../steps.sh # in a checkout
# shellcheck source=deploy/steps.sh
. "$shared"

read_arguments() {
    check='' folder='' start=yes lang=both name='' mqtt_name=''
    while [ $# -gt 0 ]; do
        case $1 in
            -h | --help) usage && exit 0 ;;
            --check) check=yes ;;
            --no-start) start= ;;
            --offline | --lang | --name | --mqtt-name)
                [ $# -ge 2 ] || fail 2 "$1 cần một giá trị; xem --help" "$1 needs a value; see --help"
                case $1 in --offline) folder=$2 ;; --lang) lang=$2 ;; --name) name=$2 ;; *) mqtt_name=$2 ;; esac
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

check_name() { # OPTION NAME
    printf '%s\n' "$2" | grep -Eqx '([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{0,62}' || fail 2 \
        "$1 '$2' không phải tên miền như ttdn.example.vn" "$1 '$2' is no host name such as ttdn.example.vn"
}

check_names() {
    if [ -e "$etc/hub.toml" ]; then
        [ -z "$name$mqtt_name" ] || say "CHÚ Ý: $etc/hub.toml đã có; --name và --mqtt-name không đổi gì nữa, hãy sửa tệp đó" \
            "NOTE: $etc/hub.toml is there; --name and --mqtt-name change nothing any more, edit that file"
        return 0
    fi
    if [ -z "$name" ] || [ -z "$mqtt_name" ]; then
        fail 2 "lần đầu cần --name và --mqtt-name (hai tên miền khác nhau của máy này); xem --help" \
            "the first time --name and --mqtt-name are needed (two names of this machine); see --help"
    fi
    check_name --name "$name"
    check_name --mqtt-name "$mqtt_name"
    [ "$name" != "$mqtt_name" ] || fail 2 "--name và --mqtt-name phải khác nhau: cổng 443 phân biệt theo tên" \
        "--name and --mqtt-name have to differ: port 443 tells them apart by it"
}

check_system() {
    system=$(. /etc/os-release 2>/dev/null && printf '%s %s' "${ID:-}" "${VERSION_ID:-}" || :)
    case $system in
        'debian 12' | 'debian 13') ;;
        *) fail 2 "cần Debian 12 hoặc 13; máy này là: ${system:-không rõ}" "Debian 12 or 13 is needed; this is: ${system:-unknown}" ;;
    esac
}

is_booted() { # by systemd
    [ -d /run/systemd/system ]
}

# -- Debian's packages -------------------------------------------------------------------------------------------------

has_package() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Ours run as services of their own. The distribution's would start by themselves when they are installed, nginx even on
# all addresses: where we bring them they are masked; where an administrator has them already they are left alone.
mask() { # SERVICE
    ! has_package "$1" || return 0
    [ "$(readlink "/etc/systemd/system/$1.service" || :)" != /dev/null ] || return 0
    due "không cho $1 của Debian tự chạy (ttdn-hub có dịch vụ riêng)" "mask Debian's own $1 service (ttdn-hub has its own)" ||
        return 0
    mkdir -p /etc/systemd/system "$opt"
    grep -qx "$1" "$opt/masked" 2>/dev/null || echo "$1" >>"$opt/masked"
    sync -- "$opt/masked"
    ln -s /dev/null "/etc/systemd/system/$1.service"
}

install_packages_of_debian() {
    mask mosquitto
    mask nginx
    missing=
    for package in $packages; do
        has_package "$package" || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    due "cài gói Debian:$missing" "install Debian's packages:$missing" || return 0
    log=$(mktemp)
    # RUNLEVEL: without systemd (a container) invoke-rc.d then starts nothing.
    # shellcheck disable=SC2086 # a list of words
    if ! { dpkg --configure -a && { apt-get update -q || :; } && RUNLEVEL=1 apt-get install -q -y --no-install-recommends $missing; } \
        >"$log" 2>&1 9>&-; then
        tail -n 15 "$log" >&2
        rm -f -- "$log"
        fail 1 "apt-get không cài được:$missing; thông báo ở trên" "apt-get could not install:$missing; see above"
    fi
    rm -f -- "$log"
}

# What answers on a port of ours before we were here would keep a service from starting, for ever.
check_ports() {
    [ ! -e /etc/systemd/system/ttdn-broker.service ] || return 0
    for port in 443 8883 1883 8000; do
        python3 -c 'import socket, sys; socket.create_connection(("127.0.0.1", int(sys.argv[1])), 1)' "$port" 2>/dev/null || continue
        [ -n "$check" ] || fail 2 "cổng $port đang có chương trình khác dùng; trung tâm cần cổng này. Xem: ss -ltnp 'sport = :$port'" \
            "port $port is somebody else's; the hub needs it. See: ss -ltnp 'sport = :$port'"
        say "CÒN THIẾU: cổng $port đang có chương trình khác dùng; trung tâm cần cổng này. Xem: ss -ltnp 'sport = :$port'" \
                "MISSING: port $port is somebody else's; the hub needs it. See: ss -ltnp 'sport = :$port'"
        steps=$((steps + 1))
    done
}

# -- Python packages -------------------------------------------------------------------------------------------------------

# Leaves a folder of wheels in $folder: the one given, ours, or one made now from the checkout, over the network.
find_folder() {
    ! take_folder || return 0
    due "tải các gói Python (wheels.sh)" "fetch the Python packages (wheels.sh)" || return 0
    work=$(mktemp -d)
    trap 'rm -rf -- "$work"' EXIT
    log=$work/log
    if ! { python3 -m venv "$work/venv" &&
        PYTHON=$work/venv/bin/python sh "$here/../agent/wheels.sh" --native --hub --output "$work/wheels"; } >"$log" 2>&1 9>&-; then
        tail -n 15 "$log" >&2
        fail 1 "không tải được các gói; xem thông báo ở trên, hoặc dùng --offline" \
            "the packages could not be fetched; see above, or use --offline"
    fi
    folder=$work/wheels
}

# -- users, folders, settings ------------------------------------------------------------------------------------------------

make_users() {
    if id -nG ttdn-ingest 2>/dev/null | grep -qw ttdn-hub && getent passwd ttdn-proxy >/dev/null; then
        return 0
    fi
    due "tạo người dùng ttdn-hub, ttdn-ingest, ttdn-proxy" "make the users ttdn-hub, ttdn-ingest, ttdn-proxy" || return 0
    if command -v systemd-sysusers >/dev/null 2>&1; then
        systemd-sysusers /etc/sysusers.d/ttdn-hub.conf
    else
        for made in ttdn-hub ttdn-ingest ttdn-proxy; do
            getent passwd "$made" >/dev/null ||
                useradd --system --user-group --home-dir "$state" --no-create-home --shell /usr/sbin/nologin "$made"
        done
        usermod --append --groups ttdn-hub ttdn-ingest
    fi
}

each_folder() { # COMMAND: with path, mode, user and group of every folder that we have
    sed -n 's/^d \+//p' "$parts/systemd/ttdn-hub.tmpfiles" | while read -r path mode owner group _; do
        "$1" "$path" "$mode" "$owner" "$group" || exit 1
    done
}

is_folder() {
    [ "$(stat -c '%a %U %G' "$1" 2>/dev/null)" = "${2#0} $3 $4" ]
}

make_folder() {
    is_folder "$@" || { mkdir -p "$1" && chown "$3:$4" "$1" && chmod "$2" "$1"; }
}

make_folders() {
    ! each_folder is_folder || return 0
    due "tạo thư mục $etc, $state" "make the folders $etc, $state" || return 0
    each_folder make_folder
}

put_secret() { # FILE: standard input, for root and the hub's group
    (umask 077 && cat >"$1.new")
    chown "root:$user" "$1.new"
    chmod 0640 "$1.new"
    sync -- "$1.new"
    mv -f -- "$1.new" "$1"
}

make_settings() {
    if [ ! -e "$etc/mqtt-password" ]; then
        ! due "tạo mật khẩu MQTT của trung tâm: $etc/mqtt-password" "make the hub's MQTT password: $etc/mqtt-password" ||
            head -c 24 /dev/urandom | base64 | put_secret "$etc/mqtt-password"
    fi
    [ ! -e "$etc/hub.toml" ] || return 0
    due "ghi $etc/hub.toml" "write $etc/hub.toml" || return 0
    put_secret "$etc/hub.toml" <<END
# Cấu hình của ttdn-hub; mọi mục có thể có: ttdn-hub config sample. Sau khi sửa: chạy lại install.sh.
# Settings of ttdn-hub; all that can be set: ttdn-hub config sample. After a change: run install.sh again.

[database]
# PostgreSQL trên máy này, không mật khẩu: theo người dùng hệ thống. / By the Unix socket, no password.
dsn = "host=/var/run/postgresql port=$pg_port dbname=$database"

[mqtt]
password_file = "$etc/mqtt-password"

[api]
names = ["$name"]
proxies = ["127.0.0.1"]

[pki]
name = "$name"
mqtt_name = "$mqtt_name"
END
}

# -- PostgreSQL --------------------------------------------------------------------------------------------------------------

find_cluster() { # leaves $pg_version, $pg_port and $pg of the newest cluster
    line=$(pg_lsclusters --no-header 2>/dev/null | awk '$2 == "main"' | sort -V | tail -n 1)
    pg_version=$(printf '%s' "$line" | awk '{print $1}')
    pg_port=$(printf '%s' "$line" | awk '{print $3}')
    pg=$pg_version/main
    [ -n "$pg_version" ] || [ -n "$check" ] || fail 1 "PostgreSQL không có cụm 'main'; xem: pg_lsclusters" \
        "PostgreSQL has no cluster 'main'; see: pg_lsclusters"
    case $pg_version in
        '' | 1[5-9] | [2-9][0-9]) ;;
        *) fail 2 "cần PostgreSQL 15 trở lên; ở đây là $pg_version" "PostgreSQL 15 or newer is needed; this is $pg_version" ;;
    esac
}

sql() { # STATEMENT [DATABASE]: as PostgreSQL's own administrator, by the Unix socket
    (cd / && printf '%s\n' "$1" |
        runuser -u postgres -- psql -X -q -A -t -v ON_ERROR_STOP=1 -p "$pg_port" -d "${2:-postgres}" 9>&-)
}

can_ask() { # whether sql works: --check also runs as nobody in particular
    [ "$(id -u)" -eq 0 ] && is_running
}

is_running() {
    [ -n "$pg_version" ] && pg_lsclusters --no-header 2>/dev/null | grep -q "^$pg_version *main .* online"
}

run_cluster() { # start or restart
    if is_booted; then
        systemctl "$1" "postgresql@$pg_version-main.service"
    else
        pg_ctlcluster --skip-systemctl-redirect "$pg_version" main "$1" 9>&-
    fi
}

start_database() {
    ! is_running || return 0
    due "chạy PostgreSQL $pg_version" "start PostgreSQL $pg_version" || return 0
    run_cluster start
}

# Which of the two it is, and what that costs: said at every run.
tell_engine() {
    timescale=
    if can_ask; then
        timescale=$(sql "SELECT default_version FROM pg_available_extensions WHERE name = 'timescaledb'" || :)
    elif ls /usr/share/postgresql/*/extension/timescaledb.control >/dev/null 2>&1; then
        timescale=yes
    fi
    if [ -n "$timescale" ] && ls /usr/lib/postgresql/*/lib/timescaledb-tsl-*.so >/dev/null 2>&1; then
        say "CƠ SỞ DỮ LIỆU: PostgreSQL với TimescaleDB $timescale" "DATABASE: PostgreSQL with TimescaleDB $timescale"
    elif [ -n "$timescale" ]; then
        say "CƠ SỞ DỮ LIỆU: PostgreSQL với TimescaleDB $timescale bản Apache (của Debian): không nén. Muốn nén: gói của nhà cung cấp." \
            "DATABASE: PostgreSQL with TimescaleDB $timescale, Apache edition (Debian's): it does not compress; the vendor's does."
    else
        say "CƠ SỞ DỮ LIỆU: PostgreSQL thường, không nén: sự kiện chiếm chỗ gấp khoảng chín lần, xóa dữ liệu cũ chậm hơn. \
Muốn TimescaleDB: cài gói của nhà cung cấp rồi chạy lại install.sh." \
            "DATABASE: plain PostgreSQL, nothing is compressed: events take some nine times the space, and old ones go slower. \
For TimescaleDB: install its vendor's package, then run install.sh again."
    fi
}

# Settings go into a file of ours; what an administrator has preloaded besides stays.
tune_database() {
    conf=/etc/postgresql/$pg/conf.d/ttdn-hub.conf
    [ -n "$pg_version" ] || { due "ghi cấu hình PostgreSQL" "write PostgreSQL's settings" || return 0; }
    wanted=$(mktemp)
    {
        echo "# PostgreSQL for ttdn-hub; made by install.sh, which writes it again: settings of your own go into another file."
        echo "# A receipt tells a kiosk that it may forget: what is committed has to stay, also when the power fails."
        echo "fsync = on"
        echo "synchronous_commit = on"
        echo "full_page_writes = on"
        if [ -n "$timescale" ]; then
            preload=$(can_ask && sql 'SHOW shared_preload_libraries' | tr -d ' ' || echo timescaledb)
            case ,$preload, in
                *,timescaledb,*) ;;
                *) preload=$preload${preload:+,}timescaledb ;;
            esac
            echo "shared_preload_libraries = '$preload'"
            echo "timescaledb.telemetry_level = off"
            echo "# A year's query opens several hundred chunks, and locks each with its indexes."
            echo "max_locks_per_transaction = 256"
        fi
    } >"$wanted"
    changed=
    put "$wanted" "$conf"
    rm -f -- "$wanted"
    [ -z "$check" ] || return 0
    # By what runs, not by what we did: an earlier run may have been cut off between the two.
    if [ -n "$changed" ] || { [ -n "$timescale" ] && ! sql 'SHOW shared_preload_libraries' | grep -q timescaledb; }; then
        due "khởi động lại PostgreSQL $pg_version" "restart PostgreSQL $pg_version"
        run_cluster restart
    fi
}

# The ingest has a role of its own name, since the socket asks for the system's user; it acts as the hub's.
make_database() {
    if ! can_ask; then
        due "tạo vai trò và cơ sở dữ liệu $database" "make the database's roles and the database $database" || return 0
    fi
    if [ "$(sql "SELECT count(*) FROM pg_roles WHERE rolname IN ('ttdn-hub', 'ttdn-ingest')
            AND (rolname = 'ttdn-hub' OR pg_has_role(oid, (SELECT oid FROM pg_roles WHERE rolname = 'ttdn-hub'), 'MEMBER'))")" != 2 ]; then
        due "tạo vai trò ttdn-hub, ttdn-ingest trong PostgreSQL (không mật khẩu)" \
            "make PostgreSQL's roles ttdn-hub, ttdn-ingest (without a password)" &&
            sql 'BEGIN;
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '"'ttdn-hub'"') THEN CREATE ROLE "ttdn-hub" LOGIN; END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '"'ttdn-ingest'"') THEN CREATE ROLE "ttdn-ingest" LOGIN; END IF;
    GRANT "ttdn-hub" TO "ttdn-ingest";
END $$;
COMMIT;'
    fi
    if [ -z "$(sql "SELECT 1 FROM pg_database WHERE datname = '$database'")" ]; then
        due "tạo cơ sở dữ liệu $database" "make the database $database" &&
            sql "CREATE DATABASE $database OWNER \"ttdn-hub\" TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'"
    fi
    [ -z "$check" ] || [ -n "$(sql "SELECT 1 FROM pg_database WHERE datname = '$database'")" ] || return 0
    if [ -z "$(sql "SELECT 1 FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = setrole JOIN pg_database d ON d.oid = setdatabase
            WHERE rolname = 'ttdn-ingest' AND datname = '$database'")" ]; then
        due "cho ttdn-ingest làm việc với quyền của ttdn-hub" "let ttdn-ingest act as ttdn-hub" &&
            sql "ALTER ROLE \"ttdn-ingest\" IN DATABASE $database SET role = 'ttdn-hub'"
    fi
    if [ -n "$timescale" ] && [ -z "$(sql "SELECT 1 FROM pg_extension WHERE extname = 'timescaledb'" "$database")" ]; then
        due "bật TimescaleDB trong $database" "switch TimescaleDB on in $database" &&
            sql 'CREATE EXTENSION IF NOT EXISTS timescaledb' "$database"
    fi
    return 0
}

# -- the hub itself --------------------------------------------------------------------------------------------------------

as_hub() { # COMMAND...: by the environment that is about to be used
    (cd / && runuser -u "$user" -- "$opt/$slot/bin/ttdn-hub" "$@" 9>&-)
}

# What they change is said by themselves; a second run changes nothing.
set_up() {
    if [ -n "$check" ]; then
        [ -e "$state/pki/authority/ca.key" ] || due "tạo bảng, trung tâm chứng thực, cấu hình Mosquitto và nginx" \
            "make tables, certificate authority, configurations of Mosquitto and nginx" || :
        return 0
    fi
    log=$(mktemp)
    for step in "config check" migrate "pki init" "pki broker-config" "pki proxy-config"; do
        # shellcheck disable=SC2086 # two words
        if ! as_hub $step >"$log" 2>&1; then
            cat "$log" >&2
            rm -f -- "$log"
            fail 1 "ttdn-hub $step không làm được; thông báo ở trên. Sửa $etc/hub.toml nếu cần, rồi chạy lại" \
                "ttdn-hub $step failed; see above. Correct $etc/hub.toml if need be, then run this again"
        fi
        ! grep -Eq 'applied|đã tạo|chứng thư máy chủ|files written' "$log" ||
            due "ttdn-hub $step: xong" "ttdn-hub $step: done"
    done
    rm -f -- "$log"
}

put_command() { # root's `ttdn-hub` is the hub's user's: files that it makes are the hub's, and PostgreSQL knows it
    wanted=$(mktemp)
    cat >"$wanted" <<END
#!/bin/sh
# ttdn-hub, by root as the hub's user; made by install.sh
if [ "\$(id -u)" -eq 0 ]; then
    exec runuser -u $user -- $opt/current/bin/ttdn-hub "\$@"
fi
exec $opt/current/bin/ttdn-hub "\$@"
END
    put "$wanted" "$command"
    rm -f -- "$wanted"
    [ -n "$check" ] || chmod 0755 "$command"
}

put_scripts() {
    put "$parts/files-changed.sh" "$opt/files-changed.sh"
    put "$parts/uninstall.sh" "$opt/uninstall.sh"
    [ -n "$check" ] || chmod 0755 "$opt/files-changed.sh"
    for unit in "$parts"/systemd/*.service "$parts"/systemd/*.path "$parts"/systemd/*.timer; do
        put "$unit" "/etc/systemd/system/${unit##*/}"
    done
}

enable_units() {
    command -v systemctl >/dev/null 2>&1 || return 0
    for unit in $services $watchers; do
        case $unit in *.path | *.timer) ;; *) unit=$unit.service ;; esac
        systemctl is-enabled --quiet "$unit" 2>/dev/null ||
            ! due "cho $unit chạy khi bật máy" "start $unit at boot" || systemctl enable --quiet "$unit"
    done
}

# Whether what runs has read what there is: these packages, and the settings as they are now.
is_applied() {
    [ "$(cat "$opt/applied" 2>/dev/null)" = "$id" ] && [ -z "$(find "$etc/hub.toml" -newer "$opt/applied")" ]
}

start_units() {
    if ! is_booted; then
        say "CHÚ Ý: máy này không do systemd khởi động; tự chạy theo ExecStart của: $services" \
            "NOTE: systemd did not boot this machine; run by yourself what ExecStart says in: $services"
        return 0
    fi
    [ -n "$start" ] || return 0
    due "chạy lại $services" "restart $services" || return 0
    systemctl daemon-reload
    # shellcheck disable=SC2086 # lists of words
    systemctl restart --no-block $services $watchers
}

# --------------------------------------------------------------------------------------------------------------------------

umask 022
steps=0 work='' id=''
read_arguments "$@"
check_system
check_names
find_python
[ -n "$check" ] || [ "$(id -u)" -eq 0 ] || fail 2 "cần quyền root: sudo sh $0" "root is needed: sudo sh $0"
[ -n "$check" ] || hold_lock
check_ports
install_packages_of_debian
find_folder
check_folder
export PIP_CONFIG_FILE=/dev/null
parts=${folder:-$here}
choose_slot
build
put "$parts/systemd/ttdn-hub.sysusers" /etc/sysusers.d/ttdn-hub.conf
put "$parts/systemd/ttdn-hub.tmpfiles" /etc/tmpfiles.d/ttdn-hub.conf
make_users
make_folders
find_cluster
start_database
tell_engine
make_settings
tune_database
make_database
set_up
put_scripts
point "$slot" "$opt/current"
put_command
enable_units
if [ -n "$check" ]; then
    [ "$steps" -gt 0 ] || say "Không có gì phải làm: đã cài xong." "Nothing to do: it is installed."
    exit 0
fi
sync -f "$opt"
if [ "$steps" -eq 0 ] && is_applied; then
    say "Không có gì phải làm: đã cài xong." "Nothing to do: it is installed."
    exit 0
fi
start_units
printf '%s\n' "$id" >"$opt/applied"
say "Đã cài xong ttdn-hub $(fact version)." "ttdn-hub $(fact version) is installed."
say "Tiếp theo: sudo ttdn-hub pki status, rồi sudo ttdn-hub user add TÊN --role staff --province MÃ" \
    "Next: sudo ttdn-hub pki status, then sudo ttdn-hub user add NAME --role staff --province CODE"
