-- +goose Up

-- Only what may go out is in the index that a claim reads. A delivery enters the table unmarked, at no cost for the ingest that
-- writes it. A claim that finds it behind an earlier one of its subscription, user and bucket marks it; who removes the
-- earlier one takes the mark away. So unmarked deliveries that were there before this migration need no conversion.
--
-- Programs of before this migration would remove deliveries without that. The new name of the column replayed makes their
-- claims fail, so what waits goes to the processes that follow; what they had leased already they may settle, because
-- nothing is marked behind a lease without a fence.
alter table bucketgen.deliveries
    add column behind boolean not null default false, -- an earlier one of its key waits
    add column paused_no integer, -- the deployment as of which its bucket is paused; null: it was not found to be
    add column fence bigint not null default 0; -- of its last lease; 0: it was never leased
alter table bucketgen.deliveries rename column replayed to replay;

update bucketgen.programs set oldest = 17;

drop index bucketgen.deliveries_next;
create index deliveries_heads on bucketgen.deliveries (subscription_no, next_at, id)
    where state = 'waiting' and not behind and paused_no is null;
create index deliveries_paused on bucketgen.deliveries (subscription_no, paused_no) where paused_no is not null;
create index deliveries_dead on bucketgen.deliveries (id) where state = 'dead';

-- A lease changes no index, so with room in its page it stays there. What was delivered leaves dead entries in front of those that
-- a claim reads, so they are cleaned up by number, not by share.
alter table bucketgen.deliveries set (
    fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_cost_delay = 0
);

-- The numbers of leases: each is greater than all that were taken before it.
create sequence bucketgen.fences;

-- How many transitions a webhook carries at most; 1: each comes by itself, in the form that it had before.
alter table bucketgen.endpoints add column batch integer not null default 1;
