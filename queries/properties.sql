-- name: PropertiesRegister :many
-- The numbers of properties, given to those that have none yet.
insert into bucketgen.properties (name)
select n.name
from (select unnest(@names::text[]) as name) n
order by 1
on conflict (name) do update set name = excluded.name
returning no, name;
