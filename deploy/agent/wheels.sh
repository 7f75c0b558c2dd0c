#!/bin/sh
# Makes a folder from which install.sh installs ttdn-agent without a network: wheels.sh --help
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
project=$(CDPATH='' cd -- "$here/../.." && pwd -P)

usage() {
    cat <<'END_OF_HELP'
Cách dùng: sh wheels.sh --arch aarch64|x86_64 --python 3.11|3.13 [--hub] [--output THƯ_MỤC] [--release-key TỆP]
           sh wheels.sh --native [--hub] [--output THƯ_MỤC]
Tạo thư mục cài đặt không cần mạng; chép cả thư mục vào USB hoặc phân vùng khởi động, rồi trên máy: sudo sh install.sh
  --arch         aarch64: Raspberry Pi OS 64 bit; x86_64: máy tính thường
  --python       3.11: Debian 12, Raspberry Pi OS Bookworm; 3.13: Debian 13, Raspberry Pi OS Trixie
  --native       cho chính máy này và các máy giống nó, kể cả 32 bit (armv7l): ở đó msgspec và cffi phải biên dịch,
                 cần  apt-get install -y python3-pip python3-dev gcc libffi-dev
  --hub          cho trung tâm (ttdn-hub), không phải cho ki-ốt (ttdn-agent)
  --output       mặc định: ttdn-agent-PHIÊN_BẢN-ARCH-pyPYTHON trong thư mục hiện tại; không được có sẵn
  --release-key  khóa công khai (PEM) dùng để kiểm tra các bản cập nhật sau này

usage: sh wheels.sh --arch aarch64|x86_64 --python 3.11|3.13 [--hub] [--output FOLDER] [--release-key FILE]
       sh wheels.sh --native [--hub] [--output FOLDER]
Make a folder that installs without a network; copy it to a stick or the boot partition, then: sudo sh install.sh
  --arch         aarch64: Raspberry Pi OS 64-bit; x86_64: a PC
  --python       3.11: Debian 12, Raspberry Pi OS Bookworm; 3.13: Debian 13, Raspberry Pi OS Trixie
  --native       for this very machine and others like it, also 32-bit (armv7l): msgspec and cffi are compiled there,
                 with  apt-get install -y python3-pip python3-dev gcc libffi-dev
  --hub          for the hub (ttdn-hub), not for a kiosk (ttdn-agent)
  --output       default: ttdn-agent-VERSION-ARCH-pyPYTHON in the current folder; must not exist yet
  --release-key  public key (PEM) that later updates are checked with
PYTHON names the Python that runs pip (default: python3).
END_OF_HELP
}

fail() { # CODE VIETNAMESE ENGLISH
    printf 'LỖI: %s\n    ERROR: %s\n' "$2" "$3" >&2
    exit "$1"
}

arch='' version='' native='' output='' key='' program=ttdn-agent
while [ $# -gt 0 ]; do
    case $1 in
        -h | --help) usage && exit 0 ;;
        --native) native=yes ;;
        --hub) program=ttdn-hub ;;
        --arch | --python | --output | --release-key)
            [ $# -ge 2 ] || fail 2 "$1 cần một giá trị; xem --help" "$1 needs a value; see --help"
            case $1 in --arch) arch=$2 ;; --python) version=$2 ;; --output) output=$2 ;; *) key=$2 ;; esac
            shift
            ;;
        *) fail 2 "không hiểu $1; xem --help" "$1 is not understood; see --help" ;;
    esac
    shift
done
python=${PYTHON:-python3}
[ -e "$project/pyproject.toml" ] || fail 2 "wheels.sh chạy trong mã nguồn của dự án, không phải trong thư mục cài" \
    "wheels.sh runs in a checkout of the project, not in a folder that it has made"
"$python" -m pip --version >/dev/null 2>&1 || fail 2 "$python không có pip; cài: apt-get install -y python3-pip" \
    "$python has no pip; install it: apt-get install -y python3-pip"
[ -z "$key" ] || grep -q 'BEGIN PUBLIC KEY' "$key" 2>/dev/null ||
    fail 2 "$key không phải khóa công khai PEM" "$key is no public key in PEM"
if [ -n "$native" ]; then
    about=$("$python" -c 'import sys
print("%d.%d" % sys.version_info[:2], getattr(sys.implementation, "_multiarch", "").split("-")[0] or "unknown")')
    version=${about% *} arch=${about#* }
fi
case $arch:$native in
    aarch64: | x86_64: | *:yes) ;;
    *) fail 2 "--arch phải là aarch64 hoặc x86_64 (máy 32 bit: --native); xem --help" \
        "--arch has to be aarch64 or x86_64 (32-bit: --native); see --help" ;;
esac
case $version in
    3.1[1-9]) ;;
    *) fail 2 "--python phải là 3.11 hoặc 3.13; xem --help" "--python has to be 3.11 or 3.13; see --help" ;;
esac
release=$(sed -n 's/^VERSION = "\(.*\)"/\1/p' "$project/contract/version.py")
output=${output:-$program-$release-$arch-py$version}
[ ! -e "$output" ] || fail 2 "$output đã có; xóa đi hoặc chọn tên khác bằng --output" \
    "$output exists; remove it, or choose another name with --output"

work=$output.making
rm -rf -- "$work"
mkdir -p "$work"
trap 'rm -rf -- "$work" "$output.sums"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

pip() {
    PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore "$python" -m pip "$@" ||
        fail 1 "pip không làm được; thông báo của nó ở trên" "pip failed; its own words are above"
}

fetch() { # PACKAGE...
    if [ -n "$native" ]; then
        pip wheel --quiet --wheel-dir "$work" "$@"
        return
    fi
    # Debian 12 has glibc 2.36; pip takes exactly the platforms that it is told.
    for libc in manylinux2014 manylinux_2_17 manylinux_2_24 manylinux_2_28 manylinux_2_31 manylinux_2_34; do
        set -- "$@" --platform "${libc}_$arch"
    done
    abi=cp$(printf %s "$version" | tr -d .)
    pip download --quiet --only-binary=:all: --implementation cp --python-version "$version" \
        --abi "$abi" --abi abi3 --abi none --dest "$work" "$@"
}

pip wheel --quiet --no-deps --wheel-dir "$work" "$project"
set -- "$work"/ttdn_border-*.whl
extra=
[ "$program" = ttdn-agent ] || extra='[hub]'
fetch "$1$extra" pip

for wheel in "$work"/*.whl; do
    name=${wheel##*/}
    case $name in pip-*) continue ;; esac
    set -- "$(printf %s "$name" | cut -d - -f 1)" "$(printf %s "$name" | cut -d - -f 2)"
    printf '%s==%s --hash=sha256:%s\n' "$1" "$2" "$(sha256sum "$wheel" | cut -d ' ' -f 1)"
done >"$work/requirements.txt"
printf 'program=%s\nversion=%s\narch=%s\npython=%s\n' "$program" "$release" "$arch" "$version" >"$work/FOLDER"
if [ "$program" = ttdn-agent ]; then
    cp -R "$here/agent.first.toml" "$here/players" "$work/"
else
    here=$project/deploy/hub
    cp "$here/files-changed.sh" "$work/"
fi
cp -R "$here/install.sh" "$here/uninstall.sh" "$here/systemd" "$project/deploy/steps.sh" "$work/"
[ -z "$key" ] || cp "$key" "$work/release.pub"
(cd "$work" && find . -type f | sed 's|^\./||' | LC_ALL=C sort | xargs sha256sum) >"$output.sums"
mv -- "$output.sums" "$work/SHA256SUMS"
sync
mv -T -- "$work" "$output"
trap - EXIT INT TERM
printf 'Đã tạo %s\n    Made %s\n' "$output" "$output"
