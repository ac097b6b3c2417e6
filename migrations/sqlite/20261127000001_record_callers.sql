-- Who made a change, as far as the server knows. It writes `VERSION CALLER` with a version of a user, so that a change by another
-- tool, which leaves the column as it is, is not taken for one of this caller. A trigger of a deletion sees nothing new: the
-- server marks the user with `- CALLER` instead, and the last trigger deletes it.
ALTER TABLE users ADD COLUMN changed_by TEXT;
ALTER TABLE user_changes ADD COLUMN changed_by TEXT;

DROP TRIGGER users_record_insert;
DROP TRIGGER users_record_update;
DROP TRIGGER users_record_delete;

CREATE TRIGGER users_record_insert AFTER INSERT ON users BEGIN
    INSERT INTO user_changes (at, type, user_id, version, changed_by)
    VALUES (max(NEW.created_at, coalesce((SELECT max(at) + 1 FROM user_changes), 0)), 'created', NEW.id, NEW.version,
        CASE WHEN NEW.changed_by LIKE NEW.version || ' %' THEN substr(NEW.changed_by, instr(NEW.changed_by, ' ') + 1) END);
END;

CREATE TRIGGER users_record_update AFTER UPDATE ON users
WHEN (OLD.id, OLD.name, OLD.email, OLD.version, OLD.created_at, OLD.updated_at)
    IS NOT (NEW.id, NEW.name, NEW.email, NEW.version, NEW.created_at, NEW.updated_at)
BEGIN
    INSERT INTO user_changes (at, type, user_id, version, changed_by)
    VALUES (max(NEW.updated_at, coalesce((SELECT max(at) + 1 FROM user_changes), 0)), 'updated', NEW.id, NEW.version,
        CASE WHEN NEW.changed_by IS NOT OLD.changed_by AND NEW.changed_by LIKE NEW.version || ' %'
            THEN substr(NEW.changed_by, instr(NEW.changed_by, ' ') + 1) END);
END;

CREATE TRIGGER users_record_delete AFTER DELETE ON users BEGIN
    INSERT INTO user_changes (at, type, user_id, version, changed_by)
    VALUES (max(CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) * 1000,
        coalesce((SELECT max(at) + 1 FROM user_changes), 0)), 'deleted', OLD.id, OLD.version,
        CASE WHEN OLD.changed_by LIKE '- _%' THEN substr(OLD.changed_by, 3) END);
END;

CREATE TRIGGER users_delete_marked AFTER UPDATE OF changed_by ON users WHEN NEW.changed_by LIKE '- %' BEGIN
    DELETE FROM users WHERE id = NEW.id;
END;
