-- In milliseconds; NULL if the application's setting applies.
ALTER TABLE pycket_records ADD COLUMN idle_timeout INTEGER;

CREATE INDEX pycket_records_by_end ON pycket_records (expires_at);
