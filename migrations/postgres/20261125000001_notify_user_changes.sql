-- Notifies the instances that cache users of every change: one notification per statement, with the ids of the rows, or `*`
-- if they are too many for a payload (8,000 bytes). A new row is in no cache.
CREATE FUNCTION notify_user_changes() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    ids text;
BEGIN
    SELECT CASE WHEN count(*) > 200 THEN '*' ELSE string_agg(id::text, ',') END INTO ids FROM changed;
    IF ids IS NOT NULL THEN
        PERFORM pg_notify('users_changed', ids);
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER users_notify_update AFTER UPDATE ON users
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION notify_user_changes();

CREATE TRIGGER users_notify_delete AFTER DELETE ON users
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION notify_user_changes();

CREATE FUNCTION notify_users_truncated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('users_changed', '*');
    RETURN NULL;
END
$$;

CREATE TRIGGER users_notify_truncate AFTER TRUNCATE ON users
    FOR EACH STATEMENT EXECUTE FUNCTION notify_users_truncated();

-- Also in a session that replicates: its changes make the rows of a cache old too.
ALTER TABLE users ENABLE ALWAYS TRIGGER users_notify_update;
ALTER TABLE users ENABLE ALWAYS TRIGGER users_notify_delete;
ALTER TABLE users ENABLE ALWAYS TRIGGER users_notify_truncate;
