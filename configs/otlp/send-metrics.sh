# Sends metrics as OTLP directly to the metrics store. For other scripts to source, in images that have no client for it.
#
# METRICS   host:port/path that takes OTLP metrics over HTTP
# HEADER    optional header line for its requests, "name: value"
# shellcheck shell=bash

send_metrics() { # of the service $1 the metrics $2, as JSON with commas
  local host=${METRICS%%/*} status
  local service="{\"key\":\"service.name\",\"value\":{\"stringValue\":\"$1\"}}"
  local body="{\"resourceMetrics\":[{\"resource\":{\"attributes\":[$service]},\"scopeMetrics\":[{\"metrics\":[$2]}]}]}"
  exec 3<>"/dev/tcp/${host%:*}/${host##*:}" || return 1
  {
    printf 'POST /%s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\n' "${METRICS#*/}" "$host"
    printf '%sContent-Length: %d\r\nConnection: close\r\n\r\n%s' "${HEADER:+$HEADER$'\r\n'}" "${#body}" "$body"
  } >&3
  IFS= read -r -t 30 status <&3
  while IFS= read -r -t 30 _ <&3; do :; done # closing before the end resets the connection
  exec 3>&-
  if [[ "$status" != *" 2"* ]]; then
    echo "$METRICS does not take the metrics of $1: ${status:-no answer}" >&2
    return 1
  fi
}
