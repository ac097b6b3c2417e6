#!/bin/sh
# Runs once, when the image of PostgreSQL has made the cluster of the primary.
set -eu
psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --username="$POSTGRES_USER" --dbname=postgres \
    --set=password="$(cat "$REPLICATION_PASSWORD_FILE")" <<'SQL'
CREATE ROLE haproxy_check LOGIN;
CREATE ROLE replication LOGIN REPLICATION PASSWORD :'password';
-- From the next start on, a commit is acknowledged after the replica has it on its disk.
ALTER SYSTEM SET synchronous_standby_names = 'replica';
SQL
