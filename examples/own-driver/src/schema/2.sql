-- In milliseconds; NULL where the application's holds.
ALTER TABLE pycket_records ADD COLUMN lifetime INTEGER;

CREATE INDEX pycket_records_by_end ON pycket_records (expires_at);
