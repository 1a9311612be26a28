#!/bin/bash
# Tells the metrics store every minute when the last dump of Grafana's database arrived in the bucket. The time is that of
# upload.sh's file, so a dump that fails and an upload that fails both let it get old. Before the first one nothing is told.
#
# METRICS, HEADER  of send-metrics.sh
set -uo pipefail

. "${0%/*}/send-metrics.sh"

uploaded=/tmp/last-upload

report() {
    local point
    point="{\"timeUnixNano\":\"$(date +%s)000000000\",\"asInt\":\"$(stat -c %Y "$uploaded")\"}"
    send_metrics postgres-backup "{\"name\":\"postgres.backup.last_upload\",\"unit\":\"s\",\"gauge\":{\"dataPoints\":[$point]}}"
}

trap 'exit 0' TERM INT
while :; do
    if [ -e "$uploaded" ]; then report; fi
    # In the background, so that the shell hears the signal to stop.
    sleep 60 &
    wait $!
done
