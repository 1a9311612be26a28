#!/bin/bash
# Counts every minute the partitions that lack a copy, topic by topic, and sends the counts as OTLP directly to the
# metrics store: on the way through Kafka they would be late just when something is wrong with it.
#
# BOOTSTRAP   host:port[,host:port...]
# TOPICS      lines that begin with a topic's name
# CLIENT      optional file with client properties (security)
# METRICS, HEADER  of send-metrics.sh
set -uo pipefail

. "${0%/*}/send-metrics.sh"

PATH=/opt/kafka/bin:$PATH
options=(--bootstrap-server "$BOOTSTRAP")
if [[ -n "${CLIENT:-}" ]]; then options+=(--command-config "$CLIENT"); fi
names=$(cut -d' ' -f1 <<<"$TOPICS")
watched="__consumer_offsets|${names//$'\n'/|}"
declare -A partitions behind offline

count() {
  local topic number leader replicas isr rest
  partitions=() behind=() offline=()
  while IFS=$'\t' read -r topic number leader replicas isr rest; do
    if [[ "$number" != "Partition: "* ]]; then continue; fi
    topic=${topic#Topic: } leader=${leader#Leader: } isr=${isr#Isr:} isr=${isr# }
    ((partitions[$topic] += 1, behind[$topic] += 0, offline[$topic] += 0))
    replicas=${replicas//[^,]/} rest=${isr//[^,]/}
    if [[ -z "$isr" ]] || ((${#rest} < ${#replicas})); then ((behind[$topic] += 1)); fi
    if [[ "$leader" == none || "$leader" == -1 ]]; then ((offline[$topic] += 1)); fi
  done
}

gauge() {
  local name=$1 text=$2 now=$3 topic points=
  local -n values=$4
  for topic in "${!values[@]}"; do
    points+="${points:+,}{\"timeUnixNano\":\"$now\",\"asInt\":\"${values[$topic]}\",\"attributes\":[{\"key\":\"topic\",\"value\":{\"stringValue\":\"$topic\"}}]}"
  done
  echo "{\"name\":\"$name\",\"description\":\"$text\",\"unit\":\"{partition}\",\"gauge\":{\"dataPoints\":[$points]}}"
}

report() {
  local described now
  if ! described=$(kafka-topics.sh "${options[@]}" --describe --topic "$watched"); then
    echo "the copies cannot be counted: Kafka does not answer" >&2
    return
  fi
  count <<<"$described"
  now=$(date +%s)000000000
  send_metrics kafka-topics "$(
    gauge kafka.partition.count "Partitions" "$now" partitions
  ),$(
    gauge kafka.partition.under_replicated "Partitions that lack a copy in sync" "$now" behind
  ),$(
    gauge kafka.partition.offline "Partitions without a leader" "$now" offline
  )"
}

trap 'exit 0' TERM INT
while :; do
  report
  sleep 60 &
  wait $!
done
