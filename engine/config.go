package engine

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/event"
	"github.com/bucketgen/bucketgen/internal/resolve"
	"github.com/bucketgen/bucketgen/internal/store"
)

// Config configures an engine. The zero value is a good one.
type Config struct {
	// AnonymousAge is how long an anonymous contact stays after its last event. Then its stays end
	// by the reason expired, and all that is known of it is deleted. Negative: for ever. Defaults
	// to 30 days.
	AnonymousAge time.Duration

	// AnswerTimeout is how long a transaction of the engine waits for an answer of the database,
	// that to COMMIT among them. After it the connection counts as lost: the engine ends what the
	// server still holds of the transaction, from another connection, so that its users are free,
	// and tries again. Each miss doubles it, up to a minute, and each answer halves it again, so
	// that a slow database makes progress. A COMMIT that waits longer for a synchronous standby is
	// not acknowledged until the standby has it. Defaults to 5 s.
	AnswerTimeout time.Duration

	// AuditAge is how long entries of the audit log are kept. Defaults to 365 days.
	AuditAge time.Duration

	// BackfillWorkers is how many batches of users are taken through a deployment at once. Defaults
	// to 2.
	BackfillWorkers int

	// BlockedIDs are ids that stand for no one, which events are sent with by mistake, in any
	// letter case: they are ignored. Defaults to null, undefined, anonymous, zeros and the like:
	// see docs/explanation/people.md.
	BlockedIDs []string

	// CacheBytes is how much memory, roughly, the engine uses to remember users who came lately:
	// their properties, and all else that is asked of those who come again. What it remembers is
	// compared with the database before it is used. Defaults to 256 MB.
	CacheBytes int

	// CatalogFlush is how often the engine writes to the database which names and types arrived,
	// see [Engine.Catalog]. Defaults to 10 s.
	CatalogFlush time.Duration

	// CatalogRows bounds what the catalog keeps of names that no definition declares: rows in the
	// database, and entries in memory between two flushes. Beyond it those that arrive least often
	// are forgotten. Negative: nothing is counted. Defaults to 10,000.
	CatalogRows int

	// ClockWorkers is how many batches of due users are settled at once. Defaults to 2.
	ClockWorkers int

	// ClockPoll is how often the database is asked for due instants that another process wrote.
	// Defaults to 100 ms.
	ClockPoll time.Duration

	// DeadLetterAge is how long a dead letter is kept, which is a delivery that was given up. Then
	// it is deleted, and counted in [Stats].DeadForgotten. Defaults to 30 days.
	DeadLetterAge time.Duration

	// DeliveryPoll is how often the database is asked for deliveries that another process put into
	// the outbox. Defaults to 500 ms.
	DeliveryPoll time.Duration

	// DeliveryWorkers is how many handlers run at once in this process. Defaults to 16.
	DeliveryWorkers int

	// DeployPoll is how often the database is asked whether another process has deployed, paused or
	// resumed something. Ingest, clock and deliveries find that out by themselves when they have
	// something to do. Defaults to 250 ms.
	DeployPoll time.Duration

	// EventNameCache is how many event names that no definition declares the engine remembers. Of
	// others it asks the database, once for each batch. A name takes as much memory as it is long,
	// and some 50 bytes beside. Defaults to 100,000.
	EventNameCache int

	// FeedAge is how long what only readers of feeds need is kept: which users were deleted or
	// restored, and the transitions of anonymous contacts that have expired. A feed or a lookup
	// that is further behind learns nothing of them. Defaults to an hour.
	FeedAge time.Duration

	// FeedPoll is the interval at which a Feed or Invalidations that is being read polls the
	// database for transitions that another process has not notified of. Defaults to 100 ms.
	FeedPoll time.Duration

	// Flushers is how many batches of events are written at once. Each uses a connection of the
	// pool. Defaults to 4.
	Flushers int

	// IDKinds are the kinds of [Event].IDs, with how many ids of each a contact may have; 0 is 1.
	// Names are lower-case letters, digits and underscores. Defaults to none.
	IDKinds map[string]int

	// IdempotencyHorizon is how long an idempotency key is remembered. Defaults to 30 days.
	IdempotencyHorizon time.Duration

	// JobAge is how long the result of a job is kept, and how long it is listed. Defaults to a day.
	JobAge time.Duration

	// JobWorkers is how many jobs this process does at once. Defaults to 2.
	JobWorkers int

	// Lease is how long a delivery belongs to the process that took it, by the clock of the
	// database, unless that keeps it up: when a process dies, its deliveries go to others after
	// this. What is leased ahead of calls goes back after a third of it. Defaults to 30 s.
	Lease time.Duration

	// Logger takes what happens in the background. Defaults to slog.Default.
	Logger *slog.Logger

	// MaxAnonymousIDs is how many anonymous ids a user keeps. A further one detaches the one that
	// was seen on the earliest day: what comes by that is of a new contact. Defaults to 100.
	MaxAnonymousIDs int

	// MaxBatch is how many events are written by one transaction at most. Defaults to 500.
	MaxBatch int

	// MaxEmails is how many e-mail addresses a user may have. A further one stays without a user,
	// with a warning. Defaults to 5.
	MaxEmails int

	// MaxMerges is how many merges of users run at once in this process, but no more than a fourth
	// of the connections of the pool, and at least one. Others wait for their turn without a
	// connection. Defaults to 2.
	MaxMerges int

	// MaxMergesWaiting is how many merges may wait for their turn. Beyond that Merge returns
	// [ErrBusy]. Defaults to 100.
	MaxMergesWaiting int

	// MaxPayload is how many bytes the properties and the traits of an event may have, each. A
	// number counts as PostgreSQL writes it, without an exponent: 1e300 has 301 digits. Defaults to
	// 32 KB.
	MaxPayload int

	// MaxTraits is how many properties a user may have. An event that would give them more is
	// refused with an [*InvalidError], and so is a merge. Defaults to 1,000.
	MaxTraits int

	// MaxTraitBytes is how many bytes the properties of a user may take together, names included.
	// Beyond that, events are refused as by MaxTraits. Defaults to 64 KB.
	MaxTraitBytes int

	// Meters makes the OpenTelemetry instruments of the engine. Defaults to otel.GetMeterProvider.
	Meters metric.MeterProvider

	// NewEventNames is how many event names that no definition declares may be new within a day,
	// which is this hour and the 23 before, in all processes on the database together. An event
	// whose name is new beyond that is refused with an [*InvalidError] of the field name; names
	// that were sent before, or that a definition declares, never are. Negative: there is no bound.
	// Defaults to 10,000.
	NewEventNames int

	// NoAnonymous refuses events that carry nothing but an anonymous id. Defaults to false.
	NoAnonymous bool

	// NoClock leaves due instants, and users who are to follow a deployment, to other processes.
	// Defaults to false.
	NoClock bool

	// NoDelivery leaves the outbox to other processes. Defaults to false.
	NoDelivery bool

	// NoDeploy leaves a database to which nothing was ever deployed alone: buckets are inactive
	// until Deploy is called. Defaults to false.
	NoDeploy bool

	// NoJobs leaves what goes through all users, which is to follow a deployment, to reconcile by
	// schedule and to do [Jobs], to other processes, or to who calls [Deployments.Backfill] and
	// [Deployments.Reconcile]: a scheduler such as Hatchet. Defaults to false.
	NoJobs bool

	// Now is the clock. While it is less than a minute from the database's clock, decisions go by
	// the database's, so that processes whose clocks differ agree about the time of a user. Beyond
	// that, and with VirtualTime, it counts as it is. Defaults to time.Now.
	Now func() time.Time

	// QueueBytes is how many bytes of events may wait to be written before Ingest blocks: what
	// their texts and payloads take, and some 500 for each. A call that is larger waits until
	// nothing else does. Defaults to 64 MB.
	QueueBytes int

	// QueueSize is how many events may wait to be written before Ingest blocks. Defaults to 10,000.
	QueueSize int

	// Reader is a pool on a replica, from which lists, counts, histories, explanations, forecasts
	// and back-tests are read: they may be as old as the replica is behind, and fail while it is
	// away. Ingest, [Engine.Has] and all else that a program decides by never use it. Defaults to
	// the pool of the engine.
	Reader *pgxpool.Pool

	// RecentBytes is how much memory, roughly, the latest events of this process take, see
	// [Inspect.RecentEvents]. Negative: none are kept. Defaults to 4 MB.
	RecentBytes int

	// Schema is the schema of the tables: lower-case letters, digits and underscores. Defaults to
	// bucketgen.
	Schema string

	// Skew is how far in the future an event may be said to have occurred, because clocks differ.
	// Within it, the event counts from now. Defaults to 5 minutes.
	Skew time.Duration

	// SuppressionSecret is the secret under which ids of erased persons are hashed: 16 bytes or
	// more, the same in all processes on the database, and not stored in it. With it, an id that
	// comes back after [People.Erase] is recognized: it is refused, or its transitions get other
	// keys than before. Defaults to none.
	SuppressionSecret string

	// Tracers makes the OpenTelemetry spans of the engine. Defaults to otel.GetTracerProvider.
	Tracers trace.TracerProvider

	// VirtualTime says that Now is not the time of the world but one that jumps, in a test or a
	// simulation: whatever lies in a jump then happens at its own instant, ticks one by one, as if
	// the engine had been running all the while. Defaults to false: what was missed was missed, and
	// ticks come as one.
	VirtualTime bool
}

func (c Config) withDefaults() Config {
	limits := c.limits().WithDefaults()
	def(&c.AnonymousAge, limits.User.AnonymousAge)
	def(&c.AnswerTimeout, 5*time.Second)
	def(&c.AuditAge, 365*24*time.Hour)
	def(&c.BackfillWorkers, 2)
	def(&c.CacheBytes, 256<<20)
	def(&c.CatalogFlush, 10*time.Second)
	def(&c.CatalogRows, 10_000)
	def(&c.ClockWorkers, 2)
	def(&c.ClockPoll, 100*time.Millisecond)
	def(&c.DeadLetterAge, 30*24*time.Hour)
	def(&c.DeliveryPoll, 500*time.Millisecond)
	def(&c.DeliveryWorkers, 16)
	def(&c.DeployPoll, 250*time.Millisecond)
	def(&c.EventNameCache, 100_000)
	def(&c.FeedAge, time.Hour)
	def(&c.FeedPoll, 100*time.Millisecond)
	def(&c.Flushers, 4)
	def(&c.IdempotencyHorizon, 30*24*time.Hour)
	def(&c.JobAge, 24*time.Hour)
	def(&c.JobWorkers, 2)
	def(&c.Lease, 30*time.Second)
	def(&c.MaxAnonymousIDs, resolve.DefaultAnonymous)
	def(&c.MaxBatch, 500)
	def(&c.MaxEmails, resolve.DefaultEmails)
	def(&c.MaxMerges, 2)
	def(&c.MaxMergesWaiting, 100)
	def(&c.MaxPayload, limits.Payload)
	def(&c.MaxTraits, limits.User.Properties)
	def(&c.MaxTraitBytes, limits.User.Bytes)
	def(&c.NewEventNames, 10_000)
	def(&c.QueueBytes, 64<<20)
	def(&c.QueueSize, 10_000)
	def(&c.RecentBytes, 4<<20)
	def(&c.Schema, store.DefaultSchema)
	def(&c.Skew, limits.Skew)
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Meters == nil {
		c.Meters = otel.GetMeterProvider()
	}
	if c.Tracers == nil {
		c.Tracers = otel.GetTracerProvider()
	}
	return c
}

// limits returns what an event may not exceed.
func (c Config) limits() event.Limits {
	return event.Limits{
		Payload: c.MaxPayload, User: decide.Limits{Properties: c.MaxTraits, Bytes: c.MaxTraitBytes, AnonymousAge: c.AnonymousAge}, Skew: c.Skew,
		IDs: event.NewIDRules(c.ids(), c.BlockedIDs, c.NoAnonymous),
	}
}

// ids returns how many ids a contact may have.
func (c Config) ids() resolve.Limits {
	return resolve.Limits{Anonymous: c.MaxAnonymousIDs, Emails: c.MaxEmails, Declared: c.IDKinds}
}

// names returns the bounds on event names.
func (c Config) names() store.NameLimits {
	return store.NameLimits{Cached: c.EventNameCache, Daily: c.NewEventNames}
}

func def[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// minSecret is how many bytes a secret has at least.
const minSecret = 16

func (c Config) validate() error {
	for _, f := range []struct {
		name  string
		value int64
	}{
		{"AnswerTimeout", int64(c.AnswerTimeout)},
		{"AuditAge", int64(c.AuditAge)},
		{"BackfillWorkers", int64(c.BackfillWorkers)},
		{"CacheBytes", int64(c.CacheBytes)},
		{"CatalogFlush", int64(c.CatalogFlush)},
		{"ClockWorkers", int64(c.ClockWorkers)},
		{"ClockPoll", int64(c.ClockPoll)},
		{"DeadLetterAge", int64(c.DeadLetterAge)},
		{"DeliveryPoll", int64(c.DeliveryPoll)},
		{"DeliveryWorkers", int64(c.DeliveryWorkers)},
		{"DeployPoll", int64(c.DeployPoll)},
		{"EventNameCache", int64(c.EventNameCache)},
		{"FeedPoll", int64(c.FeedPoll)},
		{"Flushers", int64(c.Flushers)},
		{"IdempotencyHorizon", int64(c.IdempotencyHorizon)},
		{"JobAge", int64(c.JobAge)},
		{"JobWorkers", int64(c.JobWorkers)},
		{"Lease", int64(c.Lease)},
		{"MaxAnonymousIDs", int64(c.MaxAnonymousIDs)},
		{"MaxBatch", int64(c.MaxBatch)},
		{"MaxEmails", int64(c.MaxEmails)},
		{"MaxMerges", int64(c.MaxMerges)},
		{"MaxMergesWaiting", int64(c.MaxMergesWaiting)},
		{"MaxPayload", int64(c.MaxPayload)},
		{"MaxTraits", int64(c.MaxTraits)},
		{"MaxTraitBytes", int64(c.MaxTraitBytes)},
		{"QueueBytes", int64(c.QueueBytes)},
		{"QueueSize", int64(c.QueueSize)},
		{"Skew", int64(c.Skew)},
	} {
		if f.value < 0 {
			return fmt.Errorf("engine.Config.%s is %d; it must be positive, or zero for the default", f.name, f.value)
		}
	}
	if n := len(c.SuppressionSecret); n > 0 && n < minSecret {
		return fmt.Errorf("engine.Config.SuppressionSecret has %d bytes; give %d or more, or none", n, minSecret)
	}
	for kind, most := range c.IDKinds {
		if err := event.CheckKind(kind, most); err != nil {
			return fmt.Errorf("engine.Config.IDKinds: %w", err)
		}
	}
	if c.Schema != "" {
		if err := store.CheckSchema(c.Schema); err != nil {
			return fmt.Errorf("engine.Config.Schema: %w", err)
		}
	}
	return nil
}
