-- no-transaction
-- Without a transaction, because only then the index can be created while the previous version writes. If that is interrupted,
-- an invalid index is left: DROP INDEX users_name, then migrate again.
CREATE INDEX CONCURRENTLY users_name ON users (lower(name COLLATE "BINARY"));
