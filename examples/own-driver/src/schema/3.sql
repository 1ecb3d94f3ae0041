-- Another random number after each change of the record, so that no state of a record has the number of an earlier one.
ALTER TABLE pycket_records ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
