#!/bin/bash
# Tells the metrics store every minute when the last dump of Grafana's database arrived in the bucket. The time is that of
# upload.sh's file, so a dump that fails and an upload that fails both let it get old. Before the first one nothing is told.
#
# METRICS   host:port/path that takes OTLP metrics over HTTP
# HEADER    header line for its requests, "name: value"
set -uo pipefail

uploaded=/tmp/last-upload
host=${METRICS%%/*}

send() {
    exec 3<>"/dev/tcp/${host%:*}/${host##*:}" || return 1
    {
        printf 'POST /%s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\n' "${METRICS#*/}" "$host"
        printf '%s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s' "$HEADER" "${#1}" "$1"
    } >&3
    status=
    IFS= read -r -t 30 status <&3
    while IFS= read -r -t 30 _ <&3; do :; done # closing before the end resets the connection
    exec 3>&-
    case $status in
    *" 2"*) ;;
    *) echo "$METRICS does not take the time of the last upload: ${status:-no answer}" >&2 ;;
    esac
}

report() {
    point="{\"timeUnixNano\":\"$(date +%s)000000000\",\"asInt\":\"$(stat -c %Y "$uploaded")\"}"
    metric="{\"name\":\"postgres.backup.last_upload\",\"unit\":\"s\",\"gauge\":{\"dataPoints\":[$point]}}"
    attribute='{"key":"service.name","value":{"stringValue":"postgres-backup"}}'
    send "{\"resourceMetrics\":[{\"resource\":{\"attributes\":[$attribute]},\"scopeMetrics\":[{\"metrics\":[$metric]}]}]}"
}

trap 'exit 0' TERM INT
while :; do
    if [ -e "$uploaded" ]; then report; fi
    # In the background, so that the shell hears the signal to stop.
    sleep 60 &
    wait $!
done
