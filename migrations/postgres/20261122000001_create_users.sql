-- Users. `id` is a UUID of version 7, so the order of the primary key is the order of creation.
-- `email_key` is the address with ASCII letters in lower case: what makes it unique. It compares by bytes (COLLATE "C"),
-- whatever the database's own collation, as SQLite does.
CREATE TABLE users (
    id         uuid        NOT NULL PRIMARY KEY,
    name       text        NOT NULL,
    email      text        NOT NULL,
    email_key  text        COLLATE "C" NOT NULL CONSTRAINT users_email_key_unique UNIQUE,
    version    bigint      NOT NULL CHECK (version > 0),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
