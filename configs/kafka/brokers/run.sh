#!/bin/bash
# Runs the broker only while its disk has room to spare, and stops it before the disk is full.
#
# On a full disk Kafka may write a record without counting it. The next one gets the same offset and is acknowledged,
# and at its next start Kafka deletes the segment that holds both, as damaged. A broker that has stopped refuses both.
#
# $1    its data directory
# $2    the command that runs it
set -euo pipefail

readonly DATA=$1 RUN=$2
readonly LEAST=128 MOST=1024 # MiB; in between, 2% of the file system

short() { # whether the disk has too little; free and spare are the MiB that it has and has to have
  local available total block
  read -r available total block < <(stat -f -c '%a %b %S' "$DATA") || return 1
  free=$((available * block >> 20)) spare=$((total * block / 50 >> 20))
  spare=$((spare < LEAST ? LEAST : spare > MOST ? MOST : spare))
  ((free < spare))
}

guard() { # stops process $1
  until short; do sleep 1; done
  echo "the disk of $DATA has $free MiB free: the broker stops, since it needs $spare MiB to spare" >&2
  kill -TERM "$1"
}

trap 'exit 143' TERM
if short; then
  echo "the disk of $DATA has $free MiB free: the broker starts once it has $spare MiB" >&2
  while short; do sleep 1; done
fi
guard $$ &
exec "$RUN"
