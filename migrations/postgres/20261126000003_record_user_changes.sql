-- The changes of users, for those who follow them: every statement that writes users records its changes in its transaction, one
-- row for up to 64 users. A row for each user takes half as long again and five times as much of the log; more than 64 users
-- would be stored outside of the row. The order of the changes is that of `at`, of the place in the row, and of `transaction`.
CREATE TABLE user_changes (
    at          timestamptz NOT NULL,
    transaction bigint      NOT NULL DEFAULT txid_current(),
    type        text        NOT NULL CHECK (type IN ('created', 'updated', 'deleted')),
    user_ids    uuid[]      NOT NULL,
    versions    bigint[]    NOT NULL,
    PRIMARY KEY (at, transaction)
);

-- The id of a user (RFC 9562, section 6.2, method 3): the milliseconds of a time in 48 bits, its microseconds as a fraction of a
-- millisecond in 12 bits, and the second half of another UUID. One expression that uses each parameter once becomes a part of
-- the statement that calls it.
CREATE FUNCTION uuid_v7(at timestamptz, tail uuid) RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT overlay(lpad(to_hex((extract(epoch FROM at) * 1000000)::bigint * 512 / 125), 15, '0') || substr(tail::text, 20)
        PLACING '7' FROM 13 FOR 0)::uuid
$$;

-- The time of the next change: that of this server's clock, unless a change has a later one, because the clock was set back.
CREATE FUNCTION next_user_change() RETURNS timestamptz LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN greatest(clock_timestamp(),
        (SELECT at + interval '1 microsecond' FROM user_changes ORDER BY at DESC LIMIT 1));
END
$$;

-- Before a transaction writes users, it locks a number that no other kind of lock uses: 6, and the time in microseconds. The
-- times of its changes, and of the users that it creates, are later. So a reader that stops at the least of these times misses
-- nothing. One lock per transaction: the table of locks is small.
CREATE FUNCTION announce_user_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('web_server.changes_are_announced', true) IS DISTINCT FROM 'yes' THEN
        PERFORM pg_advisory_xact_lock_shared((6::bigint << 52) + (extract(epoch FROM next_user_change()) * 1000000)::bigint);
        PERFORM set_config('web_server.changes_are_announced', 'yes', true);
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER users_announce BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON users
    FOR EACH STATEMENT EXECUTE FUNCTION announce_user_changes();

-- The time before which every change is committed. The clock comes first: a lock that is taken after it is for later times.
CREATE FUNCTION user_changes_are_complete_before() RETURNS timestamptz LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    next timestamptz := next_user_change();
BEGIN
    RETURN least(next, (
        SELECT timestamptz 'epoch' + min(key & ((1::bigint << 52) - 1)) * interval '1 microsecond'
        FROM (SELECT (classid::bigint << 32) + objid::bigint AS key FROM pg_locks
              WHERE locktype = 'advisory' AND objsubid = 1
              AND database = (SELECT oid FROM pg_database WHERE datname = current_database())) AS advisory
        WHERE key >> 52 = 6));
END
$$;

CREATE FUNCTION record_user_changes() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    next timestamptz := next_user_change();
BEGIN
    IF TG_OP = 'INSERT' THEN
        -- The ids of the next users are for times after that of the latest change, so they are greater than these. If the clock
        -- was set back, it does not see to that.
        next := greatest(next, (SELECT max(created_at) FROM changed));
        INSERT INTO user_changes (at, type, user_ids, versions)
        SELECT next + part * interval '1 microsecond', 'created', array_agg(id), array_agg(version)
        FROM (SELECT id, version, (row_number() OVER (ORDER BY id) - 1) / 64 AS part FROM changed) AS change
        GROUP BY part;
    ELSIF TG_OP = 'TRUNCATE' THEN
        INSERT INTO user_changes (at, type, user_ids, versions)
        SELECT next + part * interval '1 microsecond', 'deleted', array_agg(id), array_agg(version)
        FROM (SELECT id, version, (row_number() OVER (ORDER BY id) - 1) / 64 AS part FROM users) AS change
        GROUP BY part;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO user_changes (at, type, user_ids, versions)
        SELECT next + part * interval '1 microsecond', 'updated', array_agg(id), array_agg(version)
        FROM (SELECT id, version, (row_number() OVER (ORDER BY id) - 1) / 64 AS part
              FROM (SELECT * FROM changed EXCEPT SELECT * FROM previous) AS different) AS change
        GROUP BY part;
    ELSE
        INSERT INTO user_changes (at, type, user_ids, versions)
        SELECT next + part * interval '1 microsecond', 'deleted', array_agg(id), array_agg(version)
        FROM (SELECT id, version, (row_number() OVER (ORDER BY id) - 1) / 64 AS part FROM changed) AS change
        GROUP BY part;
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER users_record_insert AFTER INSERT ON users REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION record_user_changes();
CREATE TRIGGER users_record_update AFTER UPDATE ON users REFERENCING NEW TABLE AS changed OLD TABLE AS previous
    FOR EACH STATEMENT EXECUTE FUNCTION record_user_changes();
CREATE TRIGGER users_record_delete AFTER DELETE ON users REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION record_user_changes();
CREATE TRIGGER users_record_truncate BEFORE TRUNCATE ON users
    FOR EACH STATEMENT EXECUTE FUNCTION record_user_changes();
