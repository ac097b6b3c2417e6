CREATE INDEX users_name ON users (lower(name COLLATE "BINARY"));
