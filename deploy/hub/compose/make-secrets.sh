#!/bin/sh
# Makes the passwords that compose.yaml reads from files, as far as they are not there: make-secrets.sh [FOLDER]
# The folder is for its owner only; the files in it are readable, since users of the containers read them.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
folder=${1:-$here/secrets}
umask 022
mkdir -p -- "$folder"
chmod 0700 -- "$folder"

secret() { # NAME: from standard input, whole or not at all
    [ ! -e "$folder/$1" ] || return 0
    cat >"$folder/.$1.new"
    chmod 0444 "$folder/.$1.new"
    sync -- "$folder/.$1.new"
    mv -- "$folder/.$1.new" "$folder/$1"
}

random() { # letters and digits only: it stands in a connection string
    head -c 24 /dev/urandom | base64 | tr '+/' 'ab'
}

for name in postgres_password hub_password mqtt_password grafana_password; do
    random | secret "$name"
done
secret hub_dsn <<END
host=database dbname=ttdn user=ttdn-hub password=$(cat "$folder/hub_password")
END
printf 'Đã có trong %s: hãy sao lưu\n    They are in %s: back them up\n' "$folder" "$folder"
