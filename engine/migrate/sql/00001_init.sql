-- +goose Up

-- The tables of bucketgen. Three rules hold for all of them.
--
-- Tables that grow with users or events refer to a user by contact_id, which is the first column
-- of nearly every key: so the rows of a user lie together, and could be distributed by user. The
-- exceptions are listed, each with its reason, in engine/distribution_test.go.
--
-- There are no foreign keys. Each would add a lookup and a lock on the referenced row to every
-- insert. A writer locks the row of the user in contacts first, and only an erasure deletes it.
--
-- A fillfactor below 100 leaves room in a page for new versions of its rows. An update that stays
-- in its page and changes no indexed column writes no index (a HOT update).
--
-- Instants in columns of type bigint are microseconds since 1970.


-- Users ------------------------------------------------------------------------------------------

-- A contact is a user, a lead or a visitor: its name says what. The first transaction that writes
-- anything about the user inserts it. Only an erasure deletes it, or the expiry of a visitor:
-- deleted_at hides the user, merged_at says that only the name is left. Its row is the lock of the
-- user: a writer takes it before any other row of the user.
create table bucketgen.contacts (
    id                  bigint not null generated always as identity primary key,
    -- The user id, or the name of another id, see identities. Bytewise: users are locked in this
    -- order, in which Go sorts strings, too.
    user_id             text collate "C" not null unique,
    email               text,
    properties          jsonb not null default '{}',
    version             bigint not null default 0, -- grows with a change of properties; caches compare it
    created_at          timestamptz not null,
    updated_at          timestamptz not null,
    deleted_at          timestamptz, -- null: not deleted
    generation          integer not null default 0, -- the last deployment that the user has followed
    -- A process with other definitions has changed the user since: the last deployment it knew of.
    foreign_generation  integer,
    -- The engine whose cache has all rows of the user. Every writer sets it. 0: none has.
    cache_owner         bigint not null default 0,
    -- More than 1: the user was erased, and came back. Keys of transitions hold it, so that none is
    -- used twice.
    life                integer not null default 1,
    -- When the user was merged into the one that identities names. deleted_at is set as well.
    merged_at           timestamptz,
    -- An anonymous contact that has expired: its rows are deleted then, or when its deliveries were
    -- made. It goes by a name that no id has: the former one, U+0001 and its id.
    erase_at            timestamptz,
    -- No value of a declared property has a later date. Null: updated_at is that bound.
    written_at          timestamptz,
    -- When declared properties were last sent as they are: {"<properties.no>": <instant>}.
    repeats             jsonb,
    -- The user's time, if a clock decided it that differs from the database's; else null.
    decided_at          timestamptz,
    -- The beginning of the property name. A column of its own can have an index without making
    -- every change of properties write it.
    shown_name          text generated always as ("left"(properties ->> 'name', 200)) stored
) with (fillfactor = 70); -- a change of one property or of cache_owner writes the whole row anew

-- Serves RollupsOf and SizesTrend: deleted users are no members.
create index contacts_deleted on bucketgen.contacts (deleted_at) where deleted_at is not null;

-- Serves ExpiredNext: contacts that have expired.
create index contacts_erase on bucketgen.contacts (erase_at) where erase_at is not null;

-- Serve ContactsSearch and MembershipsFind: people search by the beginning of e-mail addresses and
-- names.
create index contacts_email on bucketgen.contacts (lower(email) collate "C") where email is not null;
create index contacts_name on bucketgen.contacts (lower(shown_name) collate "C") where shown_name is not null;

-- An id that leads to a contact, beside the one that the contact goes by: the user id of a user who
-- was merged, an anonymous id, an e-mail address, or an id that a program declares. The name of an
-- id that is no user id begins with U+0001, which no user id does. Each row has a contact with
-- merged_at that goes by its name: that makes names unique, and is what a writer locks who knows
-- only the name. A merge passes rows on; an erasure deletes them.
create table bucketgen.identities (
    name        text collate "C" not null generated always as (case when kind = 'user' then value else chr(1) || kind || chr(1) || value end) stored primary key,
    kind        text not null,
    value       text collate "C" not null,
    contact_id  bigint not null,
    -- Several users have used the anonymous id, or it was unlinked. It leads to a contact by
    -- itself, which has the name that begins with the kind shared, and contact_id says whose it
    -- was.
    shared      boolean not null default false,
    added_at    timestamptz not null,
    -- When the last day began, in UTC, on which an event with the id arrived. IdentitiesTrim goes
    -- by it. A finer time would write a row for each event.
    seen_at     timestamptz not null default '-infinity'
);

-- Serves IdentitiesMerge, IdentitiesAttach and TransitionsOf: the ids of a contact.
create index identities_contact on bucketgen.identities (contact_id);

-- Serves IdentitiesFacts: shared ids.
create index identities_shared on bucketgen.identities (name) where shared;

-- The names by which reads find a contact: its own, and those of its ids.
create view bucketgen.names as
select c.user_id as name, c.id as contact_id from bucketgen.contacts c where c.merged_at is null
union all
select i.name, i.contact_id from bucketgen.identities i where not i.shared
union all
select i.name, c.id from bucketgen.identities i
join bucketgen.contacts c on c.user_id = chr(1) || 'shared' || chr(1) || i.name
where i.shared;

-- A contact that became another, or got a name of a higher rank: where the survivor's past came
-- from. Merges insert rows.
create table bucketgen.merges (
    contact_id  bigint not null, -- the survivor
    id          bigint not null generated always as identity,
    from_id     bigint not null, -- the loser; the same contact if it was promoted
    kind        text not null, -- merge: by a caller; automatic; promotion
    from_name   text collate "C" not null,
    into_name   text collate "C" not null,
    at          timestamptz not null,
    actor       text, -- who asked for it; null: the ids of an event
    properties  jsonb not null, -- the loser's
    stays       jsonb not null, -- those that moved: {"bucket": …, "was": …, "is": …}, by numbers
    primary key (contact_id, id)
);

-- Serves IdentitiesFacts: merges by the ids of events of the last day.
create index merges_automatic on bucketgen.merges (at, contact_id) where kind = 'automatic';

-- The id of a contact: the one that the caller knows or, where that is 0, the one with the name. It
-- is null if there is none. Queries join it laterally. PostgreSQL inlines it, so a query has the
-- same plan as with the expression in it. That requires that it returns a set, is stable and not
-- strict, and has neither security definer nor a set clause.
-- +goose StatementBegin
create function bucketgen.contact_of(known bigint, name text) returns table (id bigint)
language sql stable
begin atomic
    select coalesce(nullif(known, 0), (select c.id from bucketgen.contacts c where c.user_id = name));
end;
-- +goose StatementEnd

-- A user whose memberships became visible or invisible without a transition: by a deletion, a
-- restoration, a merge or an erasure, which insert the row. Lookups read it to invalidate their
-- cache. Engines delete rows after an hour.
create table bucketgen.hidings (
    made_by  xid8 not null default pg_current_xact_id(),
    user_id  text collate "C" not null,
    at       timestamptz not null,
    erased   boolean not null default false, -- processes forget what they have in memory
    primary key (made_by, user_id) -- serves HidingsBetween, which reads by transaction
);

-- An erasure of a person. It holds no id of the person. The transaction that erases them inserts
-- it; engines delete it after engine.Config.AuditAge. A person with a long log is erased in steps:
-- contact_id is the contact whose log is still being deleted, under a name that no user can have.
create table bucketgen.erasures (
    no           bigint not null generated always as identity primary key,
    at           timestamptz not null,
    by_name      text not null default '', -- the person who asked
    ticket       text not null default '', -- their reference
    suppressed   boolean not null, -- the ids of the person are refused from now on
    events       bigint not null, -- rows of the log
    row_count    bigint not null, -- rows of all other tables
    job_no       bigint, -- the job that it is a part of; null: none
    contact_id   bigint, -- null: all rows are deleted
    finished_at  timestamptz -- null: rows remain
);

-- The hash of an id of a person who was erased: HMAC-SHA-256 of kind, 0 and value under a secret
-- that is not in the database, so that a copy of the table names no one. An erasure inserts it, or
-- an operator; only an operator deletes it. The row of the kind "" is the hash of nothing: by it an
-- engine finds that its secret is the right one.
create table bucketgen.suppressions (
    hash        bytea not null primary key, -- serves SuppressionsOf, for names that are new
    kind        text not null,
    suppressed  boolean not null, -- the id is refused; else it is only known that it was used
    lives       integer not null, -- how often a user of the id was erased
    at          timestamptz not null
);

-- Serves SuppressionsCheck, and admits one such row.
create unique index suppressions_check on bucketgen.suppressions ((true)) where kind = '';

-- How many events a day were dropped because their user is suppressed. Engines add to it every few
-- seconds, and delete it after engine.Config.AuditAge.
create table bucketgen.suppressed_events (
    day     date not null primary key, -- of UTC
    events  bigint not null
);

-- Serves ErasuresOfJob: what a job has erased.
create index erasures_job on bucketgen.erasures (job_no) where job_no is not null;

-- Serves ErasuresNext: what remains of long logs.
create index erasures_pending on bucketgen.erasures (no) where contact_id is not null;


-- Numbers of names -------------------------------------------------------------------------------

-- A name is stored once, and the tables that grow store its number. Engines insert a name when they
-- meet it. Nothing deletes names, so a number means the same forever.

-- An event name. Number 0, which no row has, stands for an event without a name.
create table bucketgen.event_names (
    no    integer not null generated always as identity primary key,
    name  text collate "C" not null unique
);

-- A bucket that was ever defined.
create table bucketgen.buckets (
    no           integer not null generated always as identity primary key,
    id           text collate "C" not null unique,
    name         text not null,
    created_at   timestamptz not null default now(),
    fingerprint  text, -- of the deployed definition; null: not deployed
    -- Users who have not followed this deployment must be evaluated.
    since_no     integer not null default 0,
    paused_at    timestamptz -- null: not paused
);

-- A property that a definition declares.
create table bucketgen.properties (
    no    integer not null generated always as identity primary key,
    name  text collate "C" not null unique
);

-- A signal is what criteria ask about an event: all occurrences, or those that pass a filter.
create table bucketgen.signals (
    no   integer not null generated always as identity primary key,
    -- Made from the event, the filter and the fields that are kept.
    key  text collate "C" not null unique
);

-- A sequence is a chain of events that follow each other within a time.
create table bucketgen.sequences (
    no   integer not null generated always as identity primary key,
    key  text collate "C" not null unique -- made from the steps and the time
);

-- The number of event names created in an hour that no definition declares. Their sum over a day is
-- bounded by engine.Config.NewEventNames. The next creation deletes rows older than a day.
create table bucketgen.event_name_counts (
    hour     timestamptz not null,
    -- 0: engines, which take turns by locking the row; else a caller's transaction, which may last
    -- and so has a row of its own.
    writer   bigint not null,
    created  integer not null,
    primary key (hour, writer)
);


-- Properties and events --------------------------------------------------------------------------

-- The last change of a declared property of a user. Ingest writes it; a merge moves or deletes it.
-- It is not part of the contact, so that a change of one property does not rewrite those of all.
create table bucketgen.changes (
    contact_id   bigint not null,
    property_no  integer not null,
    was          jsonb, -- the value before; null: there was none
    changed_at   timestamptz not null, -- the date of the present value
    was_at       timestamptz, -- the newest date of the value before; null or -infinity: unknown
    primary key (contact_id, property_no)
) with (fillfactor = 90);

-- The log of events: a row for each event that was ingested. Ingest inserts; a merge moves rows to
-- the surviving user. Only an erasure deletes rows. The key is the index that EventsNewest and
-- EventsAround read from its end. It holds the time, so that the table can be partitioned by time.
create table bucketgen.events (
    contact_id   bigint not null,
    event_no     integer not null,
    occurred_at  timestamptz not null,
    id           bigint not null generated always as identity, -- the order of arrival
    received_at  timestamptz not null,
    -- Track; observe: as track, and the payload sets no properties; identify: traits only.
    kind         text not null,
    properties   jsonb,
    traits       jsonb,
    origin_id    bigint, -- the contact that it was ingested for, if that was merged
    primary key (contact_id, event_no, occurred_at, id)
);

-- An idempotency key that an event was sent with. Ingest inserts it. Engines delete it after
-- engine.Config.IdempotencyHorizon. It is not part of the log, so that old parts of the log can go.
create table bucketgen.idempotency_keys (
    contact_id  bigint not null,
    -- Who chose the key; keys of different origins never collide.
    origin      text not null default '',
    key         text collate "C" not null,
    seen_at     timestamptz not null,
    primary key (contact_id, origin, key)
);

-- Serves IdempotencyKeysForget. Rows arrive in the order of seen_at, so a BRIN index suffices and
-- costs an insert next to nothing.
create index idempotency_keys_seen on bucketgen.idempotency_keys using brin (seen_at);


-- What criteria ask about events -----------------------------------------------------------------

-- The tables below answer criteria without reading the log. Ingest writes them. A deployment that
-- needs more of a user's past than they hold deletes the rows of the user and makes them anew from
-- the log, as a merge does for the surviving user.

-- An occurrence of a signal that has a filter or keeps a value. Signals without either read events.
create table bucketgen.occurrences (
    contact_id   bigint not null,
    signal_no    integer not null,
    occurred_at  timestamptz not null,
    id           bigint not null generated always as identity, -- the order of arrival
    value        text, -- of the field of the payload that the signal keeps, as JSON
    primary key (contact_id, signal_no, occurred_at, id)
);

-- The totals of a signal over all time. They stay when old parts of the log go.
create table bucketgen.totals (
    contact_id   bigint not null,
    signal_no    integer not null,
    count        bigint not null,
    first_at     timestamptz not null,
    last_at      timestamptz not null,
    first_value  text, -- of the field of the payload that the signal keeps, as JSON
    last_value   text,
    primary key (contact_id, signal_no)
) with (fillfactor = 90);

-- The newest occurrence in a group of a signal that counts distinct values or days.
create table bucketgen.groups (
    contact_id   bigint not null,
    signal_no    integer not null,
    name         text collate "C" not null, -- the value, or the day
    occurred_at  timestamptz not null,
    primary key (contact_id, signal_no, name)
) with (fillfactor = 90);

-- Serves GroupsNewest: the groups that occurred last.
create index groups_newest on bucketgen.groups (contact_id, signal_no, occurred_at);

-- The sum of the kept value of a signal over a window: of all occurrences after the cutoff.
-- Occurrences up to the cutoff have left the window and are not read again.
create table bucketgen.sums (
    contact_id    bigint not null,
    signal_no     integer not null,
    time_window   text collate "C" not null,
    total         numeric not null,
    count         bigint not null,
    cutoff        timestamptz, -- null: nothing has left the window
    primary key (contact_id, signal_no, time_window)
) with (fillfactor = 90);

-- How far a user has come in a sequence: a row for each value that the events of a chain share.
create table bucketgen.progress (
    contact_id   bigint not null,
    sequence_no  integer not null,
    key          text collate "C" not null, -- the shared value; empty if chains need none
    seen_at      timestamptz not null, -- the newest event that could take a step
    -- By step: when the last chain that got there began; the smallest bigint: none did.
    begins       bigint[] not null,
    ends         bigint[] not null, -- by step: when it got there
    answer_at    timestamptz, -- the newest event that answers chains
    outcome_at   timestamptz, -- when the newest chain ended; null: none did, or it was answered
    primary key (contact_id, sequence_no, key)
) with (fillfactor = 90);

-- Serves ProgressNewest and ProgressOpen: the chains that ended, by when.
create index progress_outcome on bucketgen.progress (contact_id, sequence_no, outcome_at) where outcome_at is not null;

-- An event that could take a step of a sequence. AdvancesAround reads those around an event that
-- arrives late.
create table bucketgen.advances (
    contact_id   bigint not null,
    sequence_no  integer not null,
    key          text collate "C" not null, -- as in progress
    occurred_at  timestamptz not null,
    id           bigint not null generated always as identity, -- the order of arrival
    steps        integer not null, -- a bit for each step that it could take
    primary key (contact_id, sequence_no, key, occurred_at, id)
);


-- Memberships ------------------------------------------------------------------------------------

-- A stay of a user in a bucket. A user who enters again gets a further row. Ingest, the clock,
-- manual changes and deployments write it; a merge may move it. Only an erasure deletes rows.
create table bucketgen.memberships (
    contact_id   bigint not null,
    bucket_no    integer not null,
    -- 1 for the first stay of the user in the bucket, then 2, and so on.
    entry_count  integer not null,
    id           bigint not null generated always as identity,
    entered_at   timestamptz not null,
    left_at      timestamptz, -- null: the stay lasts
    ticked_at    timestamptz, -- dwell ticks up to here are done
    -- Left by maxDwell, and the criteria have been true ever since.
    blocked      boolean not null default false,
    source       text not null, -- what made the user enter
    reason       text, -- why the user left
    -- TransitionsInsert checks that its own transaction changed the stay.
    changed_by   xid8 not null default pg_current_xact_id(),
    -- From when dwell ticks count; null: entered_at. A deployment sets it: the user may have
    -- matched for long.
    anchor_at    timestamptz,
    -- The name of the contact when it entered, if that was another.
    entered_as   text collate "C",
    primary key (contact_id, bucket_no, entry_count)
) with (fillfactor = 90);

-- Serves MembershipsCurrent and MembershipsHas. MembershipsJoin relies on it being unique: of two
-- transactions that let a user join, the second changes nothing.
create unique index memberships_active on bucketgen.memberships (contact_id, bucket_no) where left_at is null;

-- Serves MembershipsCurrent: stays that keep the clock from letting a user join again.
create index memberships_blocked on bucketgen.memberships (contact_id) where blocked;

-- Serves MembershipsPage and MembershipsCount: the members of a bucket.
create index memberships_members on bucketgen.memberships (bucket_no, contact_id) where left_at is null;

-- Serves MembershipsNewest: the members of a bucket by when they entered.
create index memberships_entered on bucketgen.memberships (bucket_no, entered_at, contact_id) where left_at is null;

-- Serves MembershipsPageAt: the members of a bucket at a time. A stay that ends during a walk in
-- pages keeps its place in the order of contacts, so the walk returns every member once.
create index memberships_ended on bucketgen.memberships (bucket_no, contact_id, entered_at, left_at) where left_at is not null;

-- When the clock must evaluate a user and a bucket again, member or not, or end a contact that is
-- anonymous. It may be too early, never
-- too late. Every decision about the user writes or deletes it.
create table bucketgen.due (
    contact_id  bigint not null,
    -- 0: all buckets, because a process with other definitions has changed the user. -1: none; an
    -- anonymous contact may expire.
    bucket_no   integer not null,
    due_at      timestamptz not null,
    primary key (contact_id, bucket_no)
) with (fillfactor = 90);

-- Serves ContactsLockDue and DueNext: what is due, the longest overdue first.
create index due_at on bucketgen.due (due_at);

-- The log of transitions: a row for each change of a membership. The transaction that changes the
-- membership inserts it. Only an erasure deletes rows. The key is the idempotency key of a
-- transition, so the same transition cannot be logged twice.
--
-- A row with the bucket 0 is a notice about ids: the contact became another (merged), which the
-- same transaction does, or a person was erased. Notices are in the log so that they keep their
-- place in it, for feeds and the outbox. A notice of an erasure belongs to no contact: contact_id
-- is the number of the erasure, negative. Engines delete it once it was delivered, or after 30
-- days.
create table bucketgen.transitions (
    contact_id     bigint not null,
    bucket_no      integer not null,
    entry_count    integer not null, -- of the stay
    kind           text not null, -- entered, left or dwell; of a notice: merged or erased
    tick           text not null default '', -- the label of a dwell tick
    dwell_count    bigint not null default 0, -- the number of a dwell tick, or of the merge
    id             bigint not null generated always as identity,
    membership_id  bigint not null,
    at             timestamptz not null, -- when it became true
    decided_at     timestamptz not null, -- when the engine noticed
    source         text not null,
    reason         text,
    -- By the entry policy: it happened, and was not announced.
    suppressed     boolean not null default false,
    -- The transaction; null: it ran on a server of which this database is a copy.
    made_by        xid8 default pg_current_xact_id(),
    life           integer not null default 1, -- of the user, see contacts
    -- The kind of the id by which the user went then; null: user. The key of a transition has it,
    -- and is the same when the user goes by another id.
    name_kind      text collate "C",
    entered_as     text collate "C", -- the name of the contact when it entered, if that is another now
    notice         jsonb, -- of a notice: {"from": <name>, "into": <name>} or {"names": [<name>, …]}
    primary key (contact_id, bucket_no, entry_count, kind, tick, dwell_count)
);

-- Serves TransitionsBetween, RollupsAdd and TransitionsByTime: the log from an id on.
create index transitions_id on bucketgen.transitions (id);

-- Serves TransitionsForward and TransitionsBackward: what happened to a bucket.
create index transitions_bucket on bucketgen.transitions (bucket_no, at, id);

-- Serves TransitionsSnapshot and TransitionsBetween. An id is assigned before its transaction
-- commits, so a reader of the log remembers which transactions were in progress and reads their
-- rows later.
create index transitions_made on bucketgen.transitions (made_by, id) where made_by is not null;

-- How many users entered and left a bucket in an hour of UTC: a rollup of transitions. One engine
-- at a time adds to it every minute. Nothing deletes rows.
create table bucketgen.rollups (
    bucket_no  integer not null,
    hour       timestamptz not null, -- its beginning
    entered    bigint not null,
    "left"     bigint not null,
    dwell      numeric not null, -- the length of the stays that ended, in microseconds
    -- Members who were erased in the hour: neither members since, nor have they left.
    erased     bigint not null default 0,
    primary key (bucket_no, hour)
) with (fillfactor = 90);

-- Serves SizesNow: what happened to all buckets today.
create index rollups_hour on bucketgen.rollups (hour);

-- The number of members of a bucket, as of the transitions that rollups holds and the changes that
-- were taken from size_changes. The rollup writes it. Nothing deletes rows; there is one a bucket.
create table bucketgen.sizes (
    bucket_no  integer not null primary key,
    members    bigint not null
) with (fillfactor = 70); -- every minute updates the rows of busy buckets

-- A change of a bucket's size without a transition: a deletion of a user takes one member from each
-- of their buckets, a restoration adds one. The transaction that deletes or restores the user
-- inserts the row. The rollup adds it to sizes and deletes it, within a minute.
create table bucketgen.size_changes (
    contact_id  bigint not null,
    bucket_no   integer not null,
    id          bigint not null generated always as identity,
    members     integer not null, -- 1 or -1
    primary key (contact_id, bucket_no, id)
);

-- How far the rollup has come: one row, which is also its lock. All transitions up to known are
-- committed or rolled back once every transaction before the number before has ended.
create table bucketgen.rollup_progress (
    one     boolean not null primary key default true check (one), -- so there is one row
    up_to   bigint not null default 0, -- transitions up to this id are in rollups
    known   bigint not null default 0, -- transitions up to this id come next
    before  xid8 not null default '0'  -- when all transactions with a smaller number have ended
);
insert into bucketgen.rollup_progress default values;


-- Deployments ------------------------------------------------------------------------------------

-- A change of what the engines do, with how far users have followed it. Deploy, pause and resume
-- insert it; backfills update it. Nothing deletes rows.
create table bucketgen.deployments (
    no           integer not null primary key,
    kind         text not null, -- deploy, pause or resume
    fingerprint  text not null, -- of the definitions that are deployed from then on
    -- Which transitions of the backfill are announced: silent, leaves or all.
    emit         text not null,
    at           timestamptz not null,
    rate         integer not null, -- how many users a second may follow; 0: no limit
    contacts     bigint not null default 0, -- the number of users when it began, roughly
    upto_id      bigint not null default 0, -- contacts up to here are done
    cursor_id    bigint not null default 0, -- contacts up to here are claimed by a process
    next_at      timestamptz, -- when the next claim is allowed, by the rate
    followed     bigint not null default 0, -- users
    joined       bigint not null default 0,
    gone         bigint not null default 0, -- memberships that ended
    finished_at  timestamptz -- null: users remain
);

-- The number of the last deployment: one row. Every transaction reads it with its facts. Deploy,
-- pause and resume lock it, so they run one after the other.
create table bucketgen.generation (
    no  integer not null
);
insert into bucketgen.generation (no) values (0);

-- A definition of a bucket, and from which deployment until which it was deployed. Deployments
-- write it. Nothing deletes rows.
create table bucketgen.definitions (
    bucket_no    integer not null,
    since_no     integer not null,
    until_no     integer, -- null: it is deployed
    fingerprint  text not null,
    name         text not null,
    words        text[] not null, -- its criteria and policies, in English
    primary key (bucket_no, since_no)
);

-- What is derived from the log, and since which deployment: occurrences of a signal, say. For a
-- user who has not followed that deployment it is derived anew. Deployments insert and delete rows.
create table bucketgen.derived (
    name      text collate "C" not null primary key,
    since_no  integer not null
);

-- A reconciliation: a pass over all users that derives memberships anew and repairs differences.
-- Engines insert and update it. Nothing deletes rows. A process leases it; when that process dies,
-- another continues from the cursor.
create table bucketgen.reconciliations (
    no            integer not null generated always as identity primary key,
    started_at    timestamptz not null,
    users         bigint not null, -- the number of users when it began
    upto_id       bigint not null, -- the last contact then
    cursor_id     bigint not null default 0, -- contacts up to here are done
    checked       bigint not null default 0, -- users
    repaired      bigint not null default 0, -- memberships and due instants
    lease         uuid, -- of the process that works on it
    leased_until  timestamptz,
    finished_at   timestamptz
);

-- Admits one unfinished reconciliation: ReconciliationsBegin relies on the conflict.
create unique index reconciliations_unfinished on bucketgen.reconciliations ((true)) where finished_at is null;


-- Long work that a person asked for: a plan, a funnel, a back-test. The management API inserts it,
-- up to 100 that are unfinished. A process leases it; when that process dies, another does the work
-- anew, at most three do. A job that erases goes on where it was, however often. Engines delete it,
-- with its users, engine.Config.JobAge after it ended.
create table bucketgen.jobs (
    no            bigint not null generated always as identity primary key,
    kind          text not null,
    params        jsonb not null,
    fingerprint   text, -- of the definitions that it is about; null: any process can do it
    by_name       text not null, -- the person who asked
    state         text not null default 'waiting', -- then running; at last done, failed or cancelled
    created_at    timestamptz not null,
    started_at    timestamptz, -- of the present attempt
    finished_at   timestamptz,
    attempts      integer not null default 0,
    cancelled     boolean not null default false, -- the process that works on it stops at its next heartbeat
    done          bigint not null default 0, -- of the users, roughly
    total         bigint not null default 0, -- 0: not known
    lease         uuid, -- of the process that works on it
    leased_until  timestamptz,
    error         text,
    result        jsonb -- up to 4 MB
);

-- Serves JobsClaim and JobsBegin: what is unfinished.
create index jobs_unfinished on bucketgen.jobs (no) where finished_at is null;

-- The users that the result of a job names, in lists: those who would join a bucket, say. The
-- process that finishes the job inserts them, up to 100,000. They go with the job, and a merge or
-- deletion does not change them, so they are stored by their ids. A job that erases begins with the
-- ids in the list erase, and each goes with the user.
create table bucketgen.job_users (
    job_no     bigint not null,
    list       text collate "C" not null,
    bucket_id  text collate "C" not null,
    place      integer not null, -- in the list, from 1
    user_id    text collate "C" not null,
    primary key (job_no, list, bucket_id, place) -- serves JobUsersPage
);

-- Serves EraseElsewhere: the lists that name a person.
create index job_users_user on bucketgen.job_users (user_id);


-- The outbox -------------------------------------------------------------------------------------

-- A subscription to transitions: of a handler, a webhook endpoint, a mirror or a Hatchet binding.
-- The engine inserts it when it is registered, and deletes it with its deliveries when it is
-- removed. Without a process that delivers, deliveries wait.
create table bucketgen.subscriptions (
    no          integer not null generated always as identity primary key,
    name        text not null unique,
    bucket_no   integer, -- null: every bucket
    kinds       text[] not null, -- of transitions
    first_only  boolean not null default false, -- only the first stay of a user
    reasons     text[], -- of leaves; null: all
    tick        text, -- the label of the dwell ticks; null: all
    created_at  timestamptz not null default now()
);

-- A delivery that is still to be made. TransitionsInsert writes a row for each subscription that
-- wants the transition, in the same statement. The process that made the delivery deletes it. The
-- deliveries of a subscription, user and bucket go out in the order of ids.
--
-- Only deliveries that may go out are in the index that a claim reads. An insert does not check
-- whether an earlier delivery waits, so it costs ingest nothing. A claim that finds a delivery
-- behind an earlier one marks it; the process that removes the earlier one removes the mark.
create table bucketgen.deliveries (
    contact_id       bigint not null,
    subscription_no  integer not null,
    bucket_no        integer not null,
    id               bigint not null generated always as identity,
    transition_id    bigint not null,
    state            text not null default 'waiting', -- or dead: given up until it is replayed
    attempts         integer not null default 0,
    next_at          timestamptz not null,
    leased_until     timestamptz, -- a process is making the delivery until then
    lease            uuid, -- of that process: without it the process cannot complete the delivery
    error            text, -- of the last attempt
    replay           boolean not null default false,
    behind           boolean not null default false, -- the mark: an earlier one waits
    -- The deployment as of which the bucket is paused; null: not found to be paused.
    paused_no        integer,
    fence            bigint not null default 0, -- of its last lease; 0: it was never leased
    primary key (contact_id, subscription_no, bucket_no, id)
) with (
    -- A lease changes no indexed column, so with room in the page it writes no index. Deliveries
    -- are leased in about the order of insertion, so every row of a page needs room for its second
    -- version at once.
    fillfactor = 50,
    -- Deliveries that were made leave dead entries in front of those that a claim reads, so vacuum
    -- runs by the number of dead rows, not by their share, and without pauses.
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_cost_delay = 0
);

-- Serves DeliveriesClaim: the deliveries of a subscription that may go out.
create index deliveries_heads on bucketgen.deliveries (subscription_no, next_at, id)
    where state = 'waiting' and not behind and paused_no is null;

-- Serves DeliveriesClaim: deliveries whose bucket was paused as of an earlier deployment.
create index deliveries_paused on bucketgen.deliveries (subscription_no, paused_no) where paused_no is not null;

-- Serves DeliveriesDead: dead letters, the oldest first.
create index deliveries_dead on bucketgen.deliveries (id) where state = 'dead';

-- The fences of leases: each is greater than all that were taken before it.
create sequence bucketgen.fences;

-- A webhook endpoint. The command line and the HTTP API write it. Its deliveries wait for the
-- subscription webhook:<no>, or webhook:<no>:<bucket> for each of its buckets.
create table bucketgen.endpoints (
    no               integer not null generated always as identity primary key,
    name             text not null unique,
    url              text not null,
    buckets          text[] not null, -- ids; empty: all
    kinds            text[] not null, -- of transitions
    created_at       timestamptz not null,
    disabled_at      timestamptz, -- null: enabled
    disabled_reason  text,
    -- How many transitions one webhook carries at most; 1: it carries no list.
    batch            integer not null default 1
);

-- A secret that webhooks of an endpoint are signed with. Each webhook has a signature by every
-- secret that has not ended, so that a receiver can rotate secrets at any time. Secrets are stored
-- in plain text, because signing needs them. A rotation inserts one and deletes those that ended.
create table bucketgen.endpoint_secrets (
    endpoint_no  integer not null,
    id           bigint not null generated always as identity,
    secret       text not null,
    created_at   timestamptz not null,
    ends_at      timestamptz, -- null: no secret follows it
    primary key (endpoint_no, id)
);

-- An attempt to post to a webhook endpoint. Services insert it within a second or so, without any
-- body, and delete all but the newest webhook.Config.Attempts of each endpoint.
create table bucketgen.endpoint_attempts (
    endpoint_no  integer not null references bucketgen.endpoints on delete cascade,
    id           bigint not null generated always as identity,
    at           timestamptz not null,
    took_us      bigint not null, -- microseconds
    status       integer not null, -- of HTTP; 0: there was no answer
    transitions  integer not null, -- that the webhook carried
    error        text not null, -- why there was no answer; else empty
    primary key (endpoint_no, id)
);


-- Access, catalog and processes ------------------------------------------------------------------

-- An API key. The command line and the HTTP API insert it and set revoked_at. A process that lets
-- requests in by the key sets used_at, once a minute at most. Rows are not deleted.
-- Only a hash is stored: a key is long and random, so it cannot be guessed from its SHA-256.
create table bucketgen.keys (
    no          integer not null generated always as identity primary key,
    name        text not null,
    -- Support: a read key whose bearer sees no e-mail addresses and few values of properties.
    kind        text not null check (kind in ('write', 'server', 'read', 'support', 'admin')),
    hash        bytea not null unique, -- SHA-256
    rate        integer, -- events a second; null: no limit
    created_at  timestamptz not null,
    revoked_at  timestamptz, -- null: valid
    used_at     timestamptz -- of the last request, to within a minute or so; null: never used
);

-- A session of a person who signed in with a key in a browser, or an offer of one, which a program
-- prints as a link. The HTTP API inserts it, and deletes it when the person signs out or takes the
-- offer. It ends with its key, 12 hours after the last request, or 7 days after it began; an offer
-- ends after a minute. Each sign-in deletes what has ended. Of a cookie only the hash is stored.
create table bucketgen.sessions (
    hash        bytea not null primary key, -- SHA-256
    key_no      integer not null,
    offer       boolean not null default false,
    created_at  timestamptz not null,
    seen_at     timestamptz not null -- of the last request, to within a minute
);

-- A change that a person made, or a look of a person whom data are masked for. The management API
-- and the command line insert it before the change and set the outcome after it. Engines delete it
-- after engine.Config.AuditAge. It names users by their ids and has no other personal data.
create table bucketgen.audit (
    id         bigint not null generated always as identity primary key, -- pages go by it
    at         timestamptz not null,
    by_name    text not null, -- the person: the name of a key, or that of the host's sign-in
    key_no     integer, -- null: without a key
    via        text not null, -- api or cli
    action     text not null, -- an operation of the API or a command
    bucket_id  text not null default '',
    user_id    text not null default '',
    object     text not null default '', -- a webhook, key, job or deployment
    detail     text not null default '',
    outcome    text not null default '' -- done, refused or failed; empty: it is under way, or its process died
);

-- What arrives: an event name, a field of a payload or a property of users, with the type of its
-- values. Engines add to it every few seconds. They delete rows that were not seen for 90 days, and
-- the rarest undeclared rows beyond engine.Config.CatalogRows.
create table bucketgen.catalog (
    kind        text not null, -- event, field or property
    event       text collate "C" not null, -- of an event or field; else empty
    name        text collate "C" not null, -- of a field or property; else empty
    type        text not null, -- of the values of a field or property; else empty
    -- By the definitions of the engine that counted last; CatalogRows does not bound such rows.
    declared    boolean not null,
    count       bigint not null, -- of a sampled row: an estimate
    sampled     boolean not null,
    first_seen  timestamptz not null,
    last_seen   timestamptz not null,
    primary key (kind, event, name, type)
);

-- How often an event name or a property arrived in an hour of UTC. Engines add to it with the
-- catalog, and delete what is older than a day. A row is deleted with its row of the catalog, so
-- the bound of the catalog holds here, too.
create table bucketgen.catalog_hours (
    kind   text not null,
    event  text collate "C" not null,
    name   text collate "C" not null,
    type   text not null,
    hour   timestamptz not null, -- its beginning
    count  bigint not null,
    primary key (kind, event, name, type, hour),
    foreign key (kind, event, name, type) references bucketgen.catalog on delete cascade
);

-- Serves CatalogTrim: what is older than a day.
create index catalog_hours_hour on bucketgen.catalog_hours (hour);

-- A process that runs an engine. Its heartbeat inserts and updates the row. It deletes the row when
-- it stops; others delete rows without a heartbeat for a day.
create table bucketgen.processes (
    id           uuid not null primary key,
    host         text not null,
    pid          integer not null,
    fingerprint  text not null, -- of the definitions that it runs
    started_at   timestamptz not null,
    seen_at      timestamptz not null,
    ahead_us     bigint not null default 0, -- microseconds that its clock is ahead of the database's
    version      text not null default '', -- of the engine
    buckets      integer not null default 0, -- that its definitions have
    -- As of the last heartbeat, and since the one before:
    lag_us       bigint not null default 0, -- microseconds that the earliest due instant has been waiting
    waiting      integer not null default 0, -- events that wait to be written
    rate         double precision not null default 0 -- events that were stored, a second
);

-- The last transaction that a connection of an engine has committed. An engine that loses a
-- connection at COMMIT finds out here whether it was committed. The number of the transaction does
-- not say that: after a crash PostgreSQL may assign it again. Engines delete rows after a day.
create table bucketgen.writers (
    token   uuid not null primary key, -- of the connection
    serial  bigint not null, -- of the transaction, counted by the connection
    at      timestamptz not null
) with (fillfactor = 50); -- every transaction updates its row

-- Which programs these tables admit: one row. A program written for an earlier migration than
-- oldest_program does not start. A migration that such programs cannot work with raises it:
--   update bucketgen.compatibility set oldest_program = <its number>;
create table bucketgen.compatibility (
    one             boolean not null primary key default true check (one), -- so there is one row
    oldest_program  bigint not null
);
insert into bucketgen.compatibility (oldest_program) values (1);
