-- +goose Up

-- Values of declared properties go by their dates, not by their arrival. These columns say where a late value belongs.
alter table bucketgen.changes
    add column was_at timestamptz; -- the newest date of the value before; null, -infinity: none is known

-- repeats says when declared properties were last sent with the value that they have, as far as that is noted: by the number of
-- the property, in microseconds since 1970. Most contacts that were sent a value once have none.
alter table bucketgen.contacts
    add column written_at timestamptz, -- no value of a declared property has a later date; null: that is updated_at
    add column repeats jsonb;
