# shellcheck shell=sh disable=SC2154 # $here and $me are the caller's
# The virtual environment that ./demo and ./test run in. They source this file after setting
#   here   the project's folder        me   the name to speak under
# and call `bootstrap EXTRA`, which leaves the folder of a complete environment in $venv, or exits with a message.
#
#   .venv-EXTRA/      in the project's folder; where that is not writable, below the user's cache folder
#     STAMP.PID/      an environment, built at the very path where it stays, since its scripts name that path
#     current         a link to the complete one: made aside and renamed into place as the last step
#     lock            held while building (by flock, so that no crash can leave it locked)
#     install.log     what the installer said
# STAMP covers pyproject.toml, the Python and the project's folder; when one of them changes, an environment is made
# anew, and the old one goes only when the new one is complete.

# A Python environment that is active around us must not reach into ours; indexes, proxies and certificates (the other
# PIP_* variables and pip's configuration) are honoured.
unset PYTHONHOME PYTHONPATH PIP_TARGET PIP_PREFIX PIP_PYTHON PIP_ROOT
export PIP_USER=0 PIP_ROOT_USER_ACTION=ignore PIP_DISABLE_PIP_VERSION_CHECK=1

say() {
    printf '%s: %s\n' "$me" "$*" >&2
}

mask() { # credentials in addresses
    sed 's|//[^[:space:]]*@|//****@|g'
}

# Say what is missing and the command that installs it, and end with exit code 2.
needs_packages() { # WHAT PACKAGE...
    say "$1"
    shift
    sudo=
    if [ "$(id -u)" -eq 0 ]; then
        say "install it with:"
    elif command -v sudo >/dev/null 2>&1; then
        sudo='sudo '
        say "install it with:"
    else
        say "install it, as root, with:"
    fi
    printf '    %sapt-get update && %sapt-get install -y --no-install-recommends %s\n' "$sudo" "$sudo" "$*" >&2
    exit 2
}

find_python() { # leaves it in $python
    too_old=
    for python in python3 python3.14 python3.13 python3.12 python3.11; do
        command -v "$python" >/dev/null 2>&1 || continue
        "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && return
        too_old="; the $python here is older or does not run"
    done
    needs_packages "Python 3.11 or newer is needed (Debian 12 or newer, Ubuntu 24.04 or newer have it)$too_old" \
        python3 python3-venv
}

make_stamp() {
    about=$("$python" -c 'import sys; print(sys.version, sys.base_prefix)')
    { cat "$here/pyproject.toml" && printf '%s\n' "$about" "$here" "$extra"; } | sha256sum | cut -c 1-16
}

use_complete() { # PLACE; leaves the environment of this stamp in $venv, if there is one that runs
    name=$(readlink "$1/current") || return 1
    case $name in "$stamp".*) ;; *) return 1 ;; esac
    venv=$1/$name
    "$venv/bin/python" -c '' 2>/dev/null
}

choose_place() { # leaves it in $place; succeeds if a complete environment is there already
    set -- "$here/.venv-$extra"
    cache=${XDG_CACHE_HOME:-${HOME:+$HOME/.cache}}
    [ -z "$cache" ] || set -- "$@" "$cache/ttdn-border/venv-$extra-$(printf %s "$here" | sha256sum | cut -c 1-8)"
    for place in "$@"; do
        use_complete "$place" && return
    done
    for place in "$@"; do
        if mkdir -p "$place" 2>/dev/null && [ -w "$place" ]; then
            return 1
        fi
    done
    say "cannot write to $* ; set XDG_CACHE_HOME to a folder that you may write to"
    exit 2
}

to_uv() { # PIP_NAME UV_NAME: uv reads neither pip's variables nor its configuration
    eval "[ -z \"\${$1:-}\" ] || [ -n \"\${$2:-}\" ] || export $2=\"\$$1\""
}

# Make an empty environment in $new and find what can install into it: leaves ensurepip, pip or uv in $installer.
make_empty() {
    "$python" -m venv --without-pip "$new" >>"$log" 2>&1 ||
        { command -v uv >/dev/null 2>&1 && uv venv --python "$python" "$new" >>"$log" 2>&1; } ||
        return 1
    if "$new/bin/python" -m ensurepip >>"$log" 2>&1; then
        installer=ensurepip
    elif "$python" -m pip --python "$new/bin/python" --version >>"$log" 2>&1; then
        installer=pip
    elif command -v uv >/dev/null 2>&1; then
        installer=uv
        to_uv PIP_INDEX_URL UV_INDEX_URL
        to_uv PIP_EXTRA_INDEX_URL UV_EXTRA_INDEX_URL
        to_uv PIP_FIND_LINKS UV_FIND_LINKS
        to_uv PIP_CERT SSL_CERT_FILE
    else
        return 1
    fi
}

install_project() {
    case $installer in
        ensurepip) "$new/bin/python" -m pip install --no-input --progress-bar off -e "${here}[$extra]" ;;
        pip) "$python" -m pip --python "$new/bin/python" install --no-input --progress-bar off -e "${here}[$extra]" ;;
        uv) uv pip install ${PIP_NO_INDEX:+--no-index} --python "$new/bin/python" -e "${here}[$extra]" ;;
    esac
}

# Which index the installer asked, as far as it or the environment says.
name_index() {
    index=$(sed -n 's/^Looking in indexes: //p' "$log" | head -n 1)
    [ "$installer" != uv ] || index=${UV_DEFAULT_INDEX:-${UV_INDEX_URL:-}}
    if [ -n "${PIP_NO_INDEX:-}" ]; then
        index="none (PIP_NO_INDEX is set), only the links: ${PIP_FIND_LINKS:-none}"
    fi
    printf '%s\n' "${index:-the default of $installer (PyPI)}" | mask
}

explain_failure() {
    say "the packages could not be installed; the end of $log:"
    tail -n 15 "$log" | mask | sed 's/^/    /' >&2
    say "the package index asked was: $(name_index)"
    if grep -Eiq 'from versions: none|connection|resolv|unreachable|timed out|proxy|certificate|ssl' "$log"; then
        say "it did not answer, or lacks a package. Check the network and https_proxy, or name an index in reach with"
        say "PIP_INDEX_URL (for a private certificate authority: PIP_CERT), then start again."
    fi
    exit 1
}

build() {
    new=$place/$stamp.$$
    log=$place/install.log
    trap 'rm -rf -- "$new"' EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
    (umask 077 && : >"$log")
    say "making a Python environment in $place"
    if ! make_empty; then
        venv_package=python3-venv
        case $python in python3.*) venv_package=$python-venv ;; esac
        needs_packages "$python can install no packages: neither ensurepip, pip nor uv is there" "$venv_package"
    fi
    say "installing the packages of pyproject.toml [$extra], by $installer; the first time this takes a minute or two"
    { install_project 2>&1 && : >"$new/installed"; } | tee -a "$log" | sed -n 's/^Collecting \([^ (]*\).*/    \1/p' >&2
    [ -e "$new/installed" ] || explain_failure
    ln -s "$stamp.$$" "$place/current.$$"
    mv -T "$place/current.$$" "$place/current"
    trap - EXIT HUP INT TERM
    venv=$new
}

remove_others() { # environments of older stamps, and of builds that were cut off: we hold the lock
    for other in "$place"/*.[0-9]*; do
        [ "$other" = "$venv" ] || rm -rf -- "$other"
    done
}

bootstrap() { # EXTRA
    extra=$1
    find_python
    stamp=$(make_stamp)
    choose_place && return
    exec 9>"$place/lock"
    flock -n 9 || { say "another start is making the same environment; waiting for it" && flock 9; }
    use_complete "$place" || build
    remove_others
    exec 9>&-
}
