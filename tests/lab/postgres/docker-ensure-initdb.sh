#!/bin/sh
# Prepares PGDATA if nobody has, and runs no server, as the official image's script of this name does. The arguments
# are those of the server.
set -eu
[ "${1:-}" = postgres ] || set -- postgres "$@"
INITIALIZE_ONLY=1 exec docker-entrypoint.sh "$@"
