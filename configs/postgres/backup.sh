#!/bin/sh
# Dumps Grafana's database once a day. Before that it deletes dumps that are older than BACKUPS_KEPT_DAYS, but never
# the newest: that frees room on a full volume, and leaves one dump if the database is down for long.
# A dump has its final name only once it is complete. Restore: docs/phase4.md, "Grafana's database".
set -eu

: "${PGHOST:?}" "${PGDATABASE:?}" "${PGUSER:?}" "${PASSWORD_FILE:?}" "${BACKUPS_KEPT_DAYS:?}"
folder=/backups/dumps
state=/tmp/last-dump

# Not where the volume is mounted: a disk of its own has a folder lost+found there, which not everybody may read.
mkdir -p "$folder"
for one in "${folder%/*}"/*.dump; do # of earlier versions
    [ ! -e "$one" ] || mv "$one" "$folder"
done

# For libpq, which reads no bare password from a file; a variable would be visible to all who see the process.
PGPASSFILE=/tmp/pgpass
export PGPASSFILE
(
    umask 077
    printf '*:*:*:*:%s\n' "$(sed 's/[\\:]/\\&/g' "$PASSWORD_FILE")" >"$PGPASSFILE"
)

trap 'exit 0' TERM INT

make_room() {
    rm -f "$folder"/*.part
    newest=
    for one in "$folder"/*.dump; do newest=$one; done # names end in their time
    find "$folder" -name '*.dump' ! -path "$newest" -mtime "+$BACKUPS_KEPT_DAYS" -delete
}

dump() {
    name="$folder/$PGDATABASE-$(date -u +%Y%m%dT%H%M%SZ).dump"
    make_room
    pg_dump --format=custom --file="$name.part" && mv "$name.part" "$name" || return 1
    echo "dumped $name ($(wc -c <"$name") bytes)"
}

# Beside it, and for as long.
[ -z "${METRICS:-}" ] || bash "${0%/*}/report.sh" &

again=2 # soon at first: a new pod's network may let nothing through for a second
while :; do
    if dump; then
        touch "$state"
        pause=86400 again=2
    else
        echo "failed: pg_dump of $PGDATABASE at $PGHOST; again in $again s" >&2
        pause=$again again=$((again < 30 ? again * 2 : 60))
    fi
    # In the background, so that the shell hears the signal to stop.
    sleep "$pause" &
    wait $!
done
