-- The collation that SQLite has under this name: text in the order of bytes, and `lower` for ASCII letters only. A collation of the
-- column would change the type of results, and the statements that a connection of the previous version has prepared would fail.
CREATE COLLATION "BINARY" FROM "C";
