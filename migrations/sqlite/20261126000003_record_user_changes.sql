-- The changes of users, for those who follow them: every statement that writes users records its changes in its transaction.
-- `at` is the time of the clock in microseconds since 1970-01-01T00:00:00Z, unless a change has a later one, because the clock
-- was set back. So it is unique, and its order is the order of the changes. The server makes the id of a change from it. The
-- triggers use only functions of old versions of SQLite, so that other tools can write users.
CREATE TABLE user_changes (
    at      INTEGER NOT NULL PRIMARY KEY,
    type    TEXT    NOT NULL CHECK (type IN ('created', 'updated', 'deleted')),
    user_id BLOB    NOT NULL CHECK (length(user_id) = 16),
    version INTEGER NOT NULL
) STRICT;

CREATE TRIGGER users_record_insert AFTER INSERT ON users BEGIN
    INSERT INTO user_changes (at, type, user_id, version)
    VALUES (max(NEW.created_at, coalesce((SELECT max(at) + 1 FROM user_changes), 0)), 'created', NEW.id, NEW.version);
END;

CREATE TRIGGER users_record_update AFTER UPDATE ON users
WHEN (OLD.id, OLD.name, OLD.email, OLD.version, OLD.created_at, OLD.updated_at)
    IS NOT (NEW.id, NEW.name, NEW.email, NEW.version, NEW.created_at, NEW.updated_at)
BEGIN
    INSERT INTO user_changes (at, type, user_id, version)
    VALUES (max(NEW.updated_at, coalesce((SELECT max(at) + 1 FROM user_changes), 0)), 'updated', NEW.id, NEW.version);
END;

CREATE TRIGGER users_record_delete AFTER DELETE ON users BEGIN
    INSERT INTO user_changes (at, type, user_id, version)
    VALUES (max(CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) * 1000,
        coalesce((SELECT max(at) + 1 FROM user_changes), 0)), 'deleted', OLD.id, OLD.version);
END;
