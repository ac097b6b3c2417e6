-- The results of writes with an Idempotency-Key, for retries. A row commits with the effect of its request.
CREATE TABLE idempotency_keys (
    key         BLOB    NOT NULL PRIMARY KEY CHECK (length(key) = 16),   -- a hash of the caller and the key
    fingerprint BLOB    NOT NULL CHECK (length(fingerprint) = 16),       -- a hash of the request
    result      TEXT    NOT NULL,                                        -- JSON
    created_at  INTEGER NOT NULL                                         -- microseconds since 1970-01-01T00:00:00Z
) STRICT;

-- Old rows are removed.
CREATE INDEX idempotency_keys_created_at ON idempotency_keys (created_at);
