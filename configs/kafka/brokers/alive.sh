#!/bin/bash
# Exits 0 as long as a restart of this broker would not help.
#
# It asks the controller in the same process for something that needs neither disk nor other controllers, in Kafka's own
# words (request "ApiVersions", version 0). An open port is not enough: the kernel connects to a process that hangs. The
# broker's own port opens last: once the log is checked after a crash, which may take long, and once enough controllers
# are up to admit the broker. A restart helps with neither, nor while run.sh waits for room on the disk.
#
# $1  file that is there while the broker waits for room
# $2  the controller's port
set -euo pipefail

readonly API_VERSIONS='\0\22' VERSION='\0\0' CORRELATION='\0\0\0\0' NO_CLIENT='\377\377' LENGTH='\0\0\0\12'

if [[ -e $1 ]]; then exit 0; fi
exec 3<>"/dev/tcp/localhost/$2"
printf "$LENGTH$API_VERSIONS$VERSION$CORRELATION$NO_CLIENT" >&3
# It ends by itself: of a check that does not, the kubelet ends only bash, and waits two minutes for its children.
IFS= read -r -t 4 -d '' -u 3 _ # the answer's first byte, which is 0
