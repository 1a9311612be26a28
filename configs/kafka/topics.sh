#!/bin/bash
# Creates the topics before anybody writes and keeps their settings as configured. Runs beside the brokers, in
# Kafka's own image; the file /tmp/ready says that every topic is there.
#
# BOOTSTRAP   host:port[,host:port...]
# REPLICAS    copies of each partition; the cluster's own default if empty
# TOPICS      lines of "name partitions key=value[,key=value...]"
# KEYED       topic in which the number of partitions decides where a record goes: it gets more only when nothing
#             is unread
# READERS     consumer groups that read it
# CLIENT      optional file with client properties (security)
# METRICS     of send-metrics.sh, by copies.sh, which then runs in its place
set -euo pipefail

PATH=/opt/kafka/bin:$PATH
options=(--bootstrap-server "$BOOTSTRAP")
if [[ -n "${CLIENT:-}" ]]; then options+=(--command-config "$CLIENT"); fi

# Records of a topic that its readers have still to read. Kafka does not know a group that never joined; it will
# start with the oldest record, like one whose next record is gone.
unread() {
  local topic=$1 groups earliest latest group name partition offset end sum=0
  local -A oldest committed
  groups=$(kafka-consumer-groups.sh "${options[@]}" --describe --all-groups) || return
  earliest=$(kafka-get-offsets.sh "${options[@]}" --time earliest --topic "$topic") || return
  latest=$(kafka-get-offsets.sh "${options[@]}" --time latest --topic "$topic") || return
  while read -r group name partition offset _; do
    if [[ "$name" == "$topic" && "$offset" =~ ^[0-9]+$ ]]; then committed[$group:$partition]=$offset; fi
  done <<<"$groups"
  while IFS=: read -r name partition offset; do
    if [[ "$name" == "$topic" && "$offset" =~ ^[0-9]+$ ]]; then oldest[$partition]=$offset; fi
  done <<<"$earliest"
  while IFS=: read -r name partition end; do
    if [[ "$name" != "$topic" || ! "$end" =~ ^[0-9]+$ ]]; then continue; fi
    for group in $READERS; do
      offset=${committed[$group:$partition]:-0}
      if ((offset < ${oldest[$partition]:-0})); then offset=${oldest[$partition]}; fi
      sum=$((sum + end - offset))
    done
  done <<<"$latest"
  echo "$sum"
}

add_partitions() {
  local name=$1 found=$2 partitions=$3 lag=0
  if [[ "$name" == "$KEYED" ]]; then lag=$(unread "$name"); fi
  if ((lag > 0)); then
    echo "topic $name has $found partitions, configured are $partitions, and $lag of its records are unread:" \
      "set kafka.partitions: $found, wait until ops lag shows nothing unread, then set $partitions again" >&2
    exit 1
  fi
  kafka-topics.sh "${options[@]}" --alter --topic "$name" --partitions "$partitions"
}

apply() {
  local name=$1 partitions=$2 settings=$3 setting found arguments=()
  if [[ -n "$REPLICAS" ]]; then arguments+=(--replication-factor "$REPLICAS"); fi
  for setting in ${settings//,/ }; do arguments+=(--config "$setting"); done
  kafka-topics.sh "${options[@]}" --create --if-not-exists --topic "$name" \
    --partitions "$partitions" "${arguments[@]}"
  kafka-configs.sh "${options[@]}" --alter --entity-type topics --entity-name "$name" \
    --add-config "$settings"
  found=$(kafka-topics.sh "${options[@]}" --describe --topic "$name" |
    sed -n 's/.*PartitionCount: *\([0-9]*\).*/\1/p')
  if ((found < partitions)); then
    add_partitions "$name" "$found" "$partitions"
  elif ((found > partitions)); then
    echo "topic $name has $found partitions, more than the configured $partitions; Kafka cannot take any away" >&2
  fi
}

while read -r name partitions settings; do
  if [[ -n "$name" ]]; then apply "$name" "$partitions" "$settings"; fi
done <<<"$TOPICS"
touch /tmp/ready
echo "topics are ready"

exec bash "${0%/*}/copies.sh"
