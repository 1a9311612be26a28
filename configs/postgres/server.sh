#!/bin/sh
# Runs PostgreSQL with the password from its Secret, even on data that was created with another one.
set -eu

: "${PGDATA:?}" "${POSTGRES_USER:?}" "${POSTGRES_PASSWORD_FILE:?}"

set_password() {
    # One line of SQL on standard input: neither the process list nor the log has it.
    password=$(sed "s/'/''/g" "$POSTGRES_PASSWORD_FILE")
    printf "ALTER ROLE \"%s\" PASSWORD '%s'\n" "$POSTGRES_USER" "$password" |
        postgres --single "$@" -c log_min_error_statement=panic -c log_statement=none postgres >/dev/null
}

if [ -s "$PGDATA/PG_VERSION" ]; then
    set_password "$@"
else
    # Only a whole one gets its name: what was cut short by a kill is made anew.
    new=$PGDATA.new
    rm -rf "$new"
    PGDATA=$new docker-ensure-initdb.sh postgres "$@"
    rmdir "$PGDATA" 2>/dev/null || true
    mv -T "$new" "$PGDATA"
fi
# The image's script would put the file's content into a variable of the server.
unset POSTGRES_PASSWORD_FILE
exec docker-entrypoint.sh postgres "$@"
