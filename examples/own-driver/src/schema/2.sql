-- In milliseconds; NULL if it is not known.
ALTER TABLE pycket_records ADD COLUMN granted INTEGER;

CREATE INDEX pycket_records_by_end ON pycket_records (expires_at);
