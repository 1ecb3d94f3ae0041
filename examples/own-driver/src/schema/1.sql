CREATE TABLE pycket_records (
    record INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    -- Both in milliseconds since 1970. `created` is unsigned: a negative number is a time beyond 2^63.
    created INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE TABLE pycket_values (
    record INTEGER NOT NULL REFERENCES pycket_records ON DELETE CASCADE,
    name TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (record, name)
) STRICT, WITHOUT ROWID;
