#!/bin/bash
# Exits 0 in a broker's first minute as long as no other broker serves: the next one need not wait for this one then.
#
# Where brokers are started one after the other, each waits until the one before is in sync (in-sync.sh). The first of
# them cannot be in sync, or serve at all, before there is a second.
#
# KAFKA_NODE_ID                   this broker's number
# KAFKA_CONTROLLER_QUORUM_VOTERS  all of them: number@host:port of its controller, with commas
# $1                              the brokers' port, when that is not 9092
set -euo pipefail

readonly MINUTE=60 PORT=${1:-9092} TICKS=100 # a second has as many ticks, in all that the kernel says

read -r up _ </proc/uptime
read -ra process <<<"$(sed 's/.*) //' /proc/1/stat)"
if ((${up%.*} - process[19] / TICKS >= MINUTE)); then
  echo "started more than a minute ago" >&2
  exit 1
fi
IFS=, read -ra voters <<<"$KAFKA_CONTROLLER_QUORUM_VOTERS"
for voter in "${voters[@]}" "${voters[@]}"; do # twice: a busy one may not answer in time
  host=${voter#*@}
  host=${host%:*}
  if ((${voter%%@*} != KAFKA_NODE_ID)) && timeout 1 bash -c "exec 3<>/dev/tcp/$host/$PORT" 2>/dev/null; then
    echo "$host serves" >&2
    exit 1
  fi
done
