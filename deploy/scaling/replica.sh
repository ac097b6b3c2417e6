#!/bin/sh
# Starts the replica. The first start copies the primary.
set -eu
PGPASSWORD=$(cat "$REPLICATION_PASSWORD_FILE")
export PGPASSWORD
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    # An earlier copy was interrupted.
    rm -rf "${PGDATA:?}"
    psql --no-psqlrc --quiet --dbname="host=$PRIMARY_HOST user=replication replication=true" \
        --command='DROP_REPLICATION_SLOT replica' 2>/dev/null || true
    pg_basebackup --dbname="host=$PRIMARY_HOST user=replication" --pgdata="$PGDATA" --wal-method=stream \
        --create-slot --slot=replica --write-recovery-conf --checkpoint=fast
fi
# The name by which the primary waits for it. It waits for no other server itself, also after its promotion.
exec postgres -c config_file=/etc/postgresql/postgresql.conf -c cluster_name=replica -c synchronous_standby_names=
