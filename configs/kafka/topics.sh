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
# CONSUMERS   lines of "topic group [group...]": a topic's limits are lowered when that deletes nothing of it that
#             one of these groups has still to read; until then the old ones stay, and it is tried again
# CLIENT      optional file with client properties (security)
# METRICS     of send-metrics.sh, by copies.sh, which then runs in its place
set -euo pipefail

PATH=/opt/kafka/bin:$PATH
options=(--bootstrap-server "$BOOTSTRAP")
if [[ -n "${CLIENT:-}" ]]; then options+=(--command-config "$CLIENT"); fi
declare -A held=()

# Fills a map: partition -> its offset at a time in milliseconds, or at earliest or latest.
offsets_at() {
  local -n into=$1
  local answer name partition offset
  answer=$(kafka-get-offsets.sh "${options[@]}" --time "$2" --topic "$3") || return
  while IFS=: read -r name partition offset; do
    if [[ "$name" == "$3" && "$offset" =~ ^[0-9]+$ ]]; then into[$partition]=$offset; fi
  done <<<"$answer"
}

# Records of a topic that its readers have still to read; given more, not those among the newest per cent of a
# partition's unless they were written before a time. Kafka does not know a group that never joined; it will start
# with the oldest record, like one whose next record is gone.
unread() {
  local topic=$1 readers=$2 newest=${3:-0} since=${4:-} groups group name partition offset bound sum=0
  local -A committed oldest end young
  groups=$(kafka-consumer-groups.sh "${options[@]}" --describe --all-groups) || return
  while read -r group name partition offset _; do
    if [[ "$name" == "$topic" && "$offset" =~ ^[0-9]+$ ]]; then committed[$group:$partition]=$offset; fi
  done <<<"$groups"
  offsets_at oldest earliest "$topic" || return
  offsets_at end latest "$topic" || return
  if [[ -n "$since" ]]; then offsets_at young "$since" "$topic" || return; fi
  for partition in "${!end[@]}"; do
    bound=$((end[$partition] - (end[$partition] - ${oldest[$partition]:-0}) * newest / 100))
    offset=${young[$partition]:-${end[$partition]}}
    if [[ -n "$since" ]] && ((bound < offset)); then bound=$offset; fi
    for group in $readers; do
      offset=${committed[$group:$partition]:-0}
      if ((offset < ${oldest[$partition]:-0})); then offset=${oldest[$partition]}; fi
      if ((offset < bound)); then sum=$((sum + bound - offset)); fi
    done
  done
  echo "$sum"
}

add_partitions() {
  local name=$1 found=$2 partitions=$3 lag=0
  if [[ "$name" == "$KEYED" ]]; then lag=$(unread "$name" "$READERS"); fi
  if ((lag > 0)); then
    echo "topic $name has $found partitions, configured are $partitions, and $lag of its records are unread:" \
      "set kafka.partitions: $found, wait until ops lag shows nothing unread, then set $partitions again" >&2
    exit 1
  fi
  kafka-topics.sh "${options[@]}" --alter --topic "$name" --partitions "$partitions"
}

# The topic's present limit, from its description; Kafka's default where it has none.
present() {
  local -A defaults=([retention.bytes]=-1 [retention.ms]=604800000)
  if [[ "$described" =~ [[:space:],]"$1"=(-?[0-9]+) ]]; then
    echo "${BASH_REMATCH[1]}"
  else
    echo "${defaults[$1]}"
  fi
}

# Changes a topic's settings. A lower age deletes what is older, a lower size what is above it; records differ in
# size, so of the share of them that it leaves only the newer half counts as kept.
configure() {
  local name=$1 settings=$2 setting key value old readers lost=0 newest=100 since='' others=() lower=()
  described=$(kafka-topics.sh "${options[@]}" --describe --topic "$name") || return
  for setting in ${settings//,/ }; do
    key=${setting%%=*} value=${setting#*=} old=0
    if [[ "$key" == retention.* ]]; then old=$(present "$key"); fi
    if ((old >= 0 && value >= old)); then
      others+=("$setting")
      continue
    fi
    lower+=("$setting")
    case $key in
      retention.bytes) newest=$((old < 0 ? 0 : value * 50 / old)) ;;
      retention.ms) since=$(($(date +%s) * 1000 - value)) ;;
    esac
  done
  if ((${#lower[@]} > 0)); then
    readers=$(sed -n "s/^$name //p" <<<"$CONSUMERS")
    lost=$(unread "$name" "$readers" "$newest" "$since") || lost="an unknown number of"
  fi
  if [[ "$lost" != 0 ]]; then
    held[$name]=$settings
    settings=$(IFS=, && echo "${others[*]}")
    echo "topic $name keeps its higher limits: ${lower[*]} would delete $lost unread records;" \
      "it is tried again every five minutes, and ops lag shows who has still to read them" >&2
  fi
  kafka-configs.sh "${options[@]}" --alter --entity-type topics --entity-name "$name" \
    --add-config "$settings" || return
  if [[ "$lost" == 0 ]]; then unset "held[$name]"; fi
}

apply() {
  local name=$1 partitions=$2 settings=$3 setting found arguments=()
  if [[ -n "$REPLICAS" ]]; then arguments+=(--replication-factor "$REPLICAS"); fi
  for setting in ${settings//,/ }; do arguments+=(--config "$setting"); done
  kafka-topics.sh "${options[@]}" --create --if-not-exists --topic "$name" \
    --partitions "$partitions" "${arguments[@]}"
  configure "$name" "$settings"
  found=$(sed -n 's/.*PartitionCount: *\([0-9]*\).*/\1/p' <<<"$described")
  if ((found < partitions)); then
    add_partitions "$name" "$found" "$partitions"
  elif ((found > partitions)); then
    echo "topic $name has $found partitions, more than the configured $partitions; Kafka cannot take any away" >&2
  fi
}

lower_later() {
  local name
  while ((${#held[@]} > 0)); do
    sleep 300
    for name in "${!held[@]}"; do configure "$name" "${held[$name]}" || true; done
  done
}

while read -r name partitions settings; do
  if [[ -n "$name" ]]; then apply "$name" "$partitions" "$settings"; fi
done <<<"$TOPICS"
touch /tmp/ready
echo "topics are ready"

lower_later &
exec bash "${0%/*}/copies.sh"
