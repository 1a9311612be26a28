#!/bin/bash
# Makes the topics before anybody writes and keeps their settings as configured. Runs beside the brokers, in
# Kafka's own image; the file /tmp/ready says that every topic is there.
#
# BOOTSTRAP   host:port[,host:port...]
# REPLICAS    copies of each partition
# TOPICS      lines of "name partitions key=value[,key=value...]"
# CLIENT      optional file with client properties (security)
set -euo pipefail

PATH=/opt/kafka/bin:$PATH
options=(--bootstrap-server "$BOOTSTRAP")
if [[ -n "${CLIENT:-}" ]]; then options+=(--command-config "$CLIENT"); fi

apply() {
  local name=$1 partitions=$2 settings=$3 setting found arguments=()
  for setting in ${settings//,/ }; do arguments+=(--config "$setting"); done
  kafka-topics.sh "${options[@]}" --create --if-not-exists --topic "$name" \
    --partitions "$partitions" --replication-factor "$REPLICAS" "${arguments[@]}"
  kafka-configs.sh "${options[@]}" --alter --entity-type topics --entity-name "$name" \
    --add-config "$settings"
  found=$(kafka-topics.sh "${options[@]}" --describe --topic "$name" |
    sed -n 's/.*PartitionCount: *\([0-9]*\).*/\1/p')
  if ((found < partitions)); then
    kafka-topics.sh "${options[@]}" --alter --topic "$name" --partitions "$partitions"
  elif ((found > partitions)); then
    echo "topic $name has $found partitions, more than the configured $partitions; Kafka cannot take any away" >&2
  fi
}

while read -r name partitions settings; do
  if [[ -n "$name" ]]; then apply "$name" "$partitions" "$settings"; fi
done <<<"$TOPICS"
touch /tmp/ready
echo "topics are ready"

trap 'exit 0' TERM INT
while :; do
  sleep 3600 &
  wait $!
done
