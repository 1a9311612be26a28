#!/bin/sh
# Prepares PGDATA at the first start and runs PostgreSQL, by the variables that the official image knows:
# PGDATA, POSTGRES_USER, POSTGRES_DB, POSTGRES_PASSWORD, POSTGRES_INITDB_ARGS, POSTGRES_HOST_AUTH_METHOD, and
# NAME_FILE in place of NAME for a value that is in a file. Files in /docker-entrypoint-initdb.d run once.
set -eu

fail() {
    echo "docker-entrypoint.sh: $*" >&2
    exit 1
}

# Sets the variable $1 from the file that $1_FILE names, or to $2 when neither is set.
from_file() {
    value=$(printenv "$1" || true)
    file=$(printenv "$1_FILE" || true)
    [ -z "$value" ] || [ -z "$file" ] || fail "both $1 and $1_FILE are set; set one"
    [ -z "$file" ] || value=$(cat "$file")
    export "$1=${value:-$2}"
    unset "$1_FILE"
}

initialize() {
    if [ -z "$POSTGRES_PASSWORD" ] && [ "${POSTGRES_HOST_AUTH_METHOD:-}" != trust ]; then
        fail "the database is not initialized and no superuser password is given; set POSTGRES_PASSWORD_FILE"
    fi
    passwords=$(mktemp)
    printf '%s\n' "$POSTGRES_PASSWORD" >"$passwords"
    # POSTGRES_INITDB_ARGS holds several words.
    # shellcheck disable=SC2086
    initdb --username="$POSTGRES_USER" ${POSTGRES_PASSWORD:+--pwfile="$passwords"} ${POSTGRES_INITDB_ARGS:-}
    rm "$passwords"
    echo "host all all all ${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}" >>"$PGDATA/pg_hba.conf"
    echo "listen_addresses = '*'" >>"$PGDATA/postgresql.conf"
}

sql() {
    PGPASSWORD=$POSTGRES_PASSWORD psql --no-psqlrc --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" "$@"
}

run_first_time_files() {
    for file in /docker-entrypoint-initdb.d/*; do
        case $file in
        *.sh) sh "$file" ;;
        *.sql) sql --dbname "$POSTGRES_DB" --file "$file" ;;
        *.sql.gz) gunzip -c "$file" | sql --dbname "$POSTGRES_DB" ;;
        esac
    done
}

# The first argument may be an option of postgres.
case ${1:-} in -*) set -- postgres "$@" ;; esac

if [ "${1:-}" = postgres ]; then
    if [ "$(id -u)" = 0 ]; then
        mkdir -p "$PGDATA"
        chown -R postgres:postgres "$PGDATA" /run/postgresql
        exec setpriv --reuid postgres --regid postgres --clear-groups "$0" "$@"
    fi
    from_file POSTGRES_PASSWORD ''
    from_file POSTGRES_USER postgres
    from_file POSTGRES_DB "$POSTGRES_USER"
    from_file POSTGRES_INITDB_ARGS ''
    mkdir -p "$PGDATA"
    chmod 0700 "$PGDATA" 2>/dev/null || true
    if [ ! -s "$PGDATA/PG_VERSION" ]; then
        initialize
        # Not over TCP, so that nobody takes a database that is not complete for a ready one.
        pg_ctl --wait --options "-c listen_addresses=''" start
        if [ "$POSTGRES_DB" != postgres ]; then
            echo 'CREATE DATABASE :"name"' | sql --dbname postgres --set name="$POSTGRES_DB"
        fi
        run_first_time_files
        pg_ctl --mode fast --wait stop
    fi
    unset POSTGRES_PASSWORD
    [ -z "${INITIALIZE_ONLY:-}" ] || exit 0
fi
exec "$@"
