-- name: SequencesRegister :many
-- The numbers of sequences, given to those that have none yet.
insert into bucketgen.sequences (key)
select k.key
from (select unnest(@keys::text[]) as key) k
order by 1
on conflict (key) do update set key = excluded.key
returning no, key;
