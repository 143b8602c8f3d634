#!/usr/bin/env bash
# usage: deploy/secrets.sh [FOLDER]
# Makes the secrets of deploy/compose.yaml that are not there yet, and changes none that is.
# The folder is nobody else's; its files can be read by all, as the users inside the containers
# have other numbers than you.
set -euo pipefail
folder=${1:-$(dirname "$0")/secrets}
mkdir -p "$folder"
chmod 0700 "$folder"
cd "$folder"

letters() { head -c 4096 /dev/urandom | LC_ALL=C tr -dc 'A-Za-z0-9' | cut -c "1-$1"; }

# Counters: one that is thrown away is a limit that begins anew.
redis_conf() {
	printf '%s\n' "requirepass $(cat redis_password)" 'appendonly yes' 'appendfsync everysec' \
		'maxmemory 256mb' 'maxmemory-policy noeviction' 'dir /data'
}

# make writes what a command says under another name first, so that no secret is ever half there.
make() {
	name=$1
	shift
	[ ! -s "$name" ] || return 0
	"$@" > ".$name.new"
	chmod 0644 ".$name.new"
	mv ".$name.new" "$name"
	echo "made $folder/$name"
}

make master_key base64 <(head -c 32 /dev/urandom)
make postgres_password letters 32
make redis_password letters 32
make grafana_password letters 24
make load_key printf 'sk-ais-%s-%s\n' "$(letters 8)" "$(letters 43)"
make redis.conf redis_conf
