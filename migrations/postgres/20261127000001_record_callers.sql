-- Who made a change, as far as the server knows. It writes `TRANSACTION CALLER` with a version of a user, so that a change by
-- another tool, which leaves the column as it is, is not taken for one of this caller. A trigger of a deletion sees nothing new:
-- the server sets the caller for the transaction instead.
ALTER TABLE users ADD COLUMN changed_by text;
-- One for each user, or one for all of them.
ALTER TABLE user_changes ADD COLUMN changed_by text[];

CREATE FUNCTION shortest(callers text[]) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN array_remove(callers, callers[1]) = '{}' THEN nullif(callers[1:1], ARRAY[NULL::text]) ELSE callers END
$$;

CREATE OR REPLACE FUNCTION record_user_changes() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    next timestamptz := next_user_change();
    mark text := txid_current() || ' ';
    deleted_by text := NULLIF(current_setting('web_server.deleted_by', true), '');
BEGIN
    IF TG_OP = 'INSERT' THEN
        -- The ids of the next users are for times after that of the latest change, so they are greater than these. If the clock
        -- was set back, it does not see to that.
        next := greatest(next, (SELECT max(created_at) FROM changed));
        INSERT INTO user_changes (at, type, user_ids, versions, changed_by)
        SELECT next + part * interval '1 microsecond', 'created', array_agg(id), array_agg(version),
            shortest(array_agg(caller))
        FROM (SELECT id, version, CASE WHEN starts_with(changed_by, mark) THEN substr(changed_by, length(mark) + 1) END AS caller,
                  (row_number() OVER (ORDER BY id) - 1) / 64 AS part FROM changed) AS change
        GROUP BY part;
    ELSIF TG_OP = 'TRUNCATE' THEN
        INSERT INTO user_changes (at, type, user_ids, versions, changed_by)
        SELECT next + part * interval '1 microsecond', 'deleted', array_agg(id), array_agg(version), NULL
        FROM (SELECT id, version, (row_number() OVER (ORDER BY id) - 1) / 64 AS part FROM users) AS change
        GROUP BY part;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO user_changes (at, type, user_ids, versions, changed_by)
        SELECT next + part * interval '1 microsecond', 'updated', array_agg(id), array_agg(version),
            shortest(array_agg(caller))
        FROM (SELECT id, version, CASE WHEN starts_with(changed_by, mark) THEN substr(changed_by, length(mark) + 1) END AS caller,
                  (row_number() OVER (ORDER BY id) - 1) / 64 AS part
              FROM (SELECT * FROM changed EXCEPT SELECT * FROM previous) AS different) AS change
        GROUP BY part;
    ELSE
        INSERT INTO user_changes (at, type, user_ids, versions, changed_by)
        SELECT next + part * interval '1 microsecond', 'deleted', array_agg(id), array_agg(version), ARRAY[deleted_by]
        FROM (SELECT id, version, (row_number() OVER (ORDER BY id) - 1) / 64 AS part FROM changed) AS change
        GROUP BY part;
    END IF;
    RETURN NULL;
END
$$;
