#!/bin/bash
# Exits 0 when this broker has caught up: it is in sync for every partition of which it has a copy.
#
# It asks the broker itself, in Kafka's own words (request "Metadata", version 4): Kafka's tools take seconds of a
# core to start, and an open port says nothing about copies.
#
# KAFKA_NODE_ID  this broker's number
# $1             its port, when that is not 9092
set -euo pipefail

readonly METADATA='\0\3' VERSION='\0\4' CORRELATION='\0\0\0\0' NO_CLIENT='\377\377' ALL_TOPICS='\377\377\377\377'
readonly MAKE_NONE='\0' LENGTH='\0\0\0\17'

bytes=() at=0 value=0

receive() { # only what was asked for, however the broker cuts its answer
  read -ra bytes -d '' < <(dd bs=1 count="$1" <&3 2>/dev/null | od -An -v -tu1 && printf '\0')
  at=0
}
int() { ((value = bytes[at] << 24 | bytes[at + 1] << 16 | bytes[at + 2] << 8 | bytes[at + 3], at += 4)) || true; }
skip_string() {
  local length=$((bytes[at] << 8 | bytes[at + 1]))
  ((at += 2 + (length == 65535 ? 0 : length)))
}
list_has() { # reads a list of numbers; found tells whether one of them is this broker's
  local count
  int
  found=0
  for ((count = value; count > 0; count--)); do
    int
    if ((value == KAFKA_NODE_ID)); then found=1; fi
  done
}

exec 3<>"/dev/tcp/localhost/${1:-9092}"
printf "$LENGTH$METADATA$VERSION$CORRELATION$NO_CLIENT$ALL_TOPICS$MAKE_NONE" >&3
IFS= read -r -t 4 -d '' -u 3 _ # the first byte of the answer's length, which is 0: dd would wait for ever
receive 3
receive "$((bytes[0] << 16 | bytes[1] << 8 | bytes[2]))"
((at += 8)) # correlation, throttling
int
for ((brokers = value; brokers > 0; brokers--)); do
  ((at += 4)) # number
  skip_string # host
  ((at += 4)) # port
  skip_string # rack
done
skip_string # cluster
((at += 4)) # controller
int
for ((topics = value; topics > 0; topics--)); do
  ((at += 2)) # error
  skip_string # name
  ((at += 1)) # internal
  int
  for ((partitions = value; partitions > 0; partitions--)); do
    ((at += 10)) # error, number, leader
    list_has
    copy=$found
    list_has
    if ((copy && !found)); then
      echo "a copy of this broker's is behind" >&2
      exit 1
    fi
  done
done
