-- Users. `id` is a UUID of version 7 as 16 bytes, so the order of the table is the order of creation.
-- `email_key` is the address with ASCII letters in lower case: what makes it unique.
-- Times are microseconds since 1970-01-01T00:00:00Z.
CREATE TABLE users (
    id         BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    name       TEXT    NOT NULL,
    email      TEXT    NOT NULL,
    email_key  TEXT    NOT NULL CONSTRAINT users_email_key_unique UNIQUE,
    version    INTEGER NOT NULL CHECK (version > 0),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
