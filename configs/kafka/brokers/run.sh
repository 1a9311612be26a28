#!/bin/bash
# Runs the broker only while its disk has room to spare, and stops it before the disk is full.
#
# On a full disk Kafka may write a record without counting it. The next one gets the same offset and is acknowledged,
# and at its next start Kafka deletes the segment that holds both, as damaged. A broker that has stopped refuses both.
#
# A broker that is asked to stop waits for a controller to agree. If the disks of others are full too there is none,
# and it goes on writing: with half of its room gone it is killed. What it has written is safe, as after any crash.
#
# $1    its data directory, which is where a volume is mounted: a disk of its own has a folder lost+found there, with
#       which Kafka does not start. So its log is in a folder beside that, except where there is one from earlier.
# $2    the command that runs it
# $3    file that is there while the broker waits for room, for probes
set -euo pipefail

readonly DATA=$1 RUN=$2 WAITS=$3
readonly LEAST=128 MOST=1024 # MiB; in between, 2% of the file system

short() { # whether the disk has less than $1 percent of what it has to spare; sets free and spare, in MiB
  local available total block
  read -r available total block < <(stat -f -c '%a %b %S' "$DATA") || return 1
  free=$((available * block >> 20)) spare=$((total * block / 50 >> 20))
  spare=$((spare < LEAST ? LEAST : spare > MOST ? MOST : spare))
  ((100 * free < $1 * spare))
}

guard() { # stops process $1
  until short 100; do sleep 1; done
  echo "the disk of $DATA has $free MiB free: the broker stops, since it needs $spare MiB to spare" >&2
  while kill -TERM "$1" 2>/dev/null; do
    if short 50; then
      echo "the disk of $DATA has $free MiB free: the broker is killed, since it does not stop" >&2
      kill -KILL "$1" 2>/dev/null || true
    fi
    sleep 1
  done
}

LOG=$DATA/log
if [[ -e $DATA/meta.properties ]]; then
  LOG=$DATA
  rmdir "$DATA/lost+found" 2>/dev/null || true
fi
mkdir -p "$LOG"
export KAFKA_LOG_DIRS=$LOG

trap 'exit 143' TERM
rm -f "$WAITS" # of a wait that was cut short
if short 100; then
  touch "$WAITS"
  echo "the disk of $DATA has $free MiB free: the broker starts once it has $((2 * spare)) MiB" >&2
  while short 200; do sleep 1; done
  rm "$WAITS"
fi
# Only a process other than the container's first can be killed by one that is inside.
"$RUN" &
readonly BROKER=$!
trap 'kill -TERM "$BROKER" 2>/dev/null || true' TERM
guard "$BROKER" &
while :; do # each signal ends one wait
  wait "$BROKER" && status=0 || status=$?
  kill -0 "$BROKER" 2>/dev/null || exit "$status"
done
