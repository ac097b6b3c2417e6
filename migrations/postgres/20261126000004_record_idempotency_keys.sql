-- The results of writes with an Idempotency-Key, for retries. A row commits with the effect of its request.
CREATE TABLE idempotency_keys (
    key         uuid        NOT NULL PRIMARY KEY, -- a hash of the caller and the key
    fingerprint uuid        NOT NULL,             -- a hash of the request
    result      text        NOT NULL,             -- JSON
    created_at  timestamptz NOT NULL
);

-- Old rows are removed.
CREATE INDEX idempotency_keys_created_at ON idempotency_keys (created_at);
