#!/bin/bash
# Checks that the topics are there that somebody else makes, and changes nothing: it only asks for their names, which
# Kafka tells whoever may describe them. Then it stays, for Kafka's tools to be run beside it. Runs in Kafka's own
# image; the file /tmp/ready says that every topic is there.
#
# BOOTSTRAP   host:port[,host:port...]
# TOPICS      lines of one topic's name each
# CLIENT      optional file with client properties (security)
set -uo pipefail

PATH=/opt/kafka/bin:$PATH
PAUSE=30
options=(--bootstrap-server "$BOOTSTRAP")
if [[ -n "${CLIENT:-}" ]]; then options+=(--command-config "$CLIENT"); fi

# Prints the names of those that are not there, or fails when Kafka does not answer.
missing() {
  local found name
  if ! found=$(kafka-topics.sh "${options[@]}" --list); then
    echo "${found%%$'\n'*}" >&2
    return 1
  fi
  while read -r name; do
    if [[ $'\n'"$found"$'\n' != *$'\n'"$name"$'\n'* ]]; then echo "$name"; fi
  done <<<"$TOPICS"
}

pause() {
  sleep "$1" &
  wait $!
}

trap 'exit 0' TERM INT
while :; do
  if ! names=$(missing); then
    echo "the topics cannot be checked: Kafka does not answer, or refuses; next try in $PAUSE s" >&2
  elif [[ -n "$names" ]]; then
    echo "missing, or hidden from this user: ${names//$'\n'/ }; somebody else has to create them" \
      "(kafka.createTopics: false); next look in $PAUSE s" >&2
  else
    break
  fi
  pause "$PAUSE"
done
touch /tmp/ready
echo "topics are there"

while :; do pause 3600; done
