-- Notifies of changes only while an instance has a cache. One transaction with a notification commits at a time, and holds the lock
-- for that until the disk and a synchronous replica have confirmed.
--
-- An instance with a cache holds a number that no other kind of lock uses, 8, as a shared lock. Where the number is free, it is
-- released in the same expression, which nothing interrupts.
CREATE OR REPLACE FUNCTION notify_user_changes() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    caches CONSTANT bigint := 8::bigint << 52;
    ids text;
BEGIN
    IF (CASE WHEN pg_try_advisory_lock(caches) THEN pg_advisory_unlock(caches) ELSE false END) THEN
        RETURN NULL;
    END IF;
    SELECT CASE WHEN count(*) > 200 THEN '*' ELSE string_agg(id::text, ',') END INTO ids FROM changed;
    IF ids IS NOT NULL THEN
        PERFORM pg_notify('users_changed', ids);
    END IF;
    RETURN NULL;
END
$$;

-- The previous version does not lock the number. It uses no cache when it does not find its triggers.
ALTER TRIGGER users_notify_update ON users RENAME TO users_invalidate_update;
ALTER TRIGGER users_notify_delete ON users RENAME TO users_invalidate_delete;
ALTER TRIGGER users_notify_truncate ON users RENAME TO users_invalidate_truncate;
