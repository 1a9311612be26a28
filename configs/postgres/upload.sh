#!/bin/sh
# Copies dumps of Grafana's database into the backup bucket as they are made, and deletes nothing there.
# It shares backup.sh's dumps and folder for temporary files.
set -eu

: "${BUCKET:?}" "${ENDPOINT:?}"
dumped=/tmp/last-dump
uploaded=/tmp/last-upload
begun=/tmp/this-upload

trap 'exit 0' TERM INT

upload() {
    touch "$begun" # a dump made in the meantime is newer, and is uploaded next
    aws --endpoint-url "$ENDPOINT" s3 sync /backups/dumps "s3://$BUCKET/postgres" \
        --exclude '*' --include '*.dump' --no-progress && mv "$begun" "$uploaded"
}

while :; do
    pause=10
    if [ -e "$dumped" ] && { [ ! -e "$uploaded" ] || [ "$dumped" -nt "$uploaded" ]; }; then
        upload || {
            echo "failed: upload of dumps to $BUCKET at $ENDPOINT; again in 60 s" >&2
            pause=60
        }
    fi
    # In the background, so that the shell hears the signal to stop.
    sleep "$pause" &
    wait $!
done
