#!/bin/sh
# Starts the replica. The first start copies the primary.
set -eu
PGPASSWORD=$(cat "$REPLICATION_PASSWORD_FILE")
export PGPASSWORD
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    # If an earlier copy was interrupted, its slot is there.
    rm -rf "${PGDATA:?}"
    send() {
        psql --no-psqlrc --quiet --tuples-only --no-align --dbname="host=$PRIMARY_HOST user=replication replication=true" --command="$1"
    }
    slot=$(send 'READ_REPLICATION_SLOT replica') # empty columns: there is none
    case $slot in physical*) send 'DROP_REPLICATION_SLOT replica' ;; esac
    pg_basebackup --dbname="host=$PRIMARY_HOST user=replication" --pgdata="$PGDATA" --wal-method=stream \
        --create-slot --slot=replica --write-recovery-conf --checkpoint=fast
fi
# The name by which the primary waits for it. It waits for no other server itself, also after its promotion.
exec postgres -c config_file=/etc/postgresql/postgresql.conf -c cluster_name=replica -c synchronous_standby_names=
