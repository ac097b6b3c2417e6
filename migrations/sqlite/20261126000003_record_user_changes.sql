-- The changes of users, for those who follow them: every statement that writes users records its changes in its transaction.
-- `id` is a UUID of version 7 of `at` (RFC 9562, section 6.2, method 3) with the second half of the user's id, so the order of
-- the primary key is the order of the changes. `at` is the time of the clock, unless a change has a later one, because the
-- clock was set back.
CREATE TABLE user_changes (
    id      BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    type    TEXT    NOT NULL CHECK (type IN ('created', 'updated', 'deleted')),
    user_id BLOB    NOT NULL,
    version INTEGER NOT NULL,
    at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TRIGGER users_record_insert AFTER INSERT ON users BEGIN
    INSERT INTO user_changes (id, type, user_id, version, at)
    SELECT unhex(printf('%012x7%03x', at / 1000, at % 1000 * 4096 / 1000) || substr(hex(NEW.id), 17)), 'created', NEW.id, NEW.version, at
    FROM (SELECT max(NEW.created_at, coalesce((SELECT at + 1 FROM user_changes ORDER BY id DESC LIMIT 1), 0)) AS at);
END;

CREATE TRIGGER users_record_update AFTER UPDATE ON users
WHEN (OLD.id, OLD.name, OLD.email, OLD.version, OLD.created_at, OLD.updated_at)
    IS NOT (NEW.id, NEW.name, NEW.email, NEW.version, NEW.created_at, NEW.updated_at)
BEGIN
    INSERT INTO user_changes (id, type, user_id, version, at)
    SELECT unhex(printf('%012x7%03x', at / 1000, at % 1000 * 4096 / 1000) || substr(hex(NEW.id), 17)), 'updated', NEW.id, NEW.version, at
    FROM (SELECT max(NEW.updated_at, coalesce((SELECT at + 1 FROM user_changes ORDER BY id DESC LIMIT 1), 0)) AS at);
END;

CREATE TRIGGER users_record_delete AFTER DELETE ON users BEGIN
    INSERT INTO user_changes (id, type, user_id, version, at)
    SELECT unhex(printf('%012x7%03x', at / 1000, at % 1000 * 4096 / 1000) || substr(hex(OLD.id), 17)), 'deleted', OLD.id, OLD.version, at
    FROM (SELECT max(CAST(unixepoch('subsec') * 1000 AS INTEGER) * 1000,
        coalesce((SELECT at + 1 FROM user_changes ORDER BY id DESC LIMIT 1), 0)) AS at);
END;
