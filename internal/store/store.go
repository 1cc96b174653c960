package store

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/usercache"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Store loads and writes users for a registry. It knows the numbers that the database gives to the
// registry's names. It may be used from several goroutines.
type Store struct {
	// FeedAge is how long the transitions of a contact that has expired stay, so that feeds read
	// them.
	FeedAge time.Duration

	// OwnTime says that the caller's clock is virtual, as in a test or a simulation. Users go by
	// it, however far it is from the database's. It is set before the store is used. See
	// [Loaded.Clock].
	OwnTime bool

	// Suppressor hashes ids of users who are new to the database. It is set before the store is
	// used. Nil: ids are not suppressed.
	Suppressor *Suppressor

	registry *table.Registry
	schema   string
	cache    *usercache.Cache
	names    names
	limits   NameLimits

	events     []int32 // events are numbers by index, as are buckets and so on
	eventOf    map[int32]table.EventIndex
	buckets    []int32
	indexes    map[int32]table.BucketIndex
	signals    []int32
	signalOf   map[int32]table.SignalIndex
	sequences  []int32
	properties []int32 // properties are 0 for those inside of others
	propertyOf map[int32]table.PropertyIndex
	history    []int32                     // history are properties whose last changes are read
	plain      map[int32]table.SignalIndex // plain are signals of all occurrences of an event

	needs  [][]table.Need // needs are the facts that each bucket needs
	always [][]table.Need // always are explained at the function always
	added  [][]table.Need // added are explained at addedTo

	deployment atomic.Pointer[Deployment]
}

// Conn is what statements are run on: a connection, or a transaction.
type Conn interface {
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
	db.DBTX
}

// New gives numbers to the buckets, events, properties, signals and sequences of a registry that
// have none. The store caches users in about cacheBytes of memory, and event names within limits.
func New(ctx context.Context, conn Conn, schema string, r *table.Registry, cacheBytes int, limits NameLimits) (*Store, error) {
	s := &Store{
		registry: r, schema: schema, indexes: map[int32]table.BucketIndex{}, needs: needsOf(r), added: addedTo(r),
		cache: usercache.New(r, cacheBytes), eventOf: map[int32]table.EventIndex{}, names: newNames(limits.Cached), limits: limits,
	}
	ids, names := make([]string, len(r.Buckets)), make([]string, len(r.Buckets))
	for i := range r.Buckets {
		ids[i], names[i] = r.Buckets[i].ID, r.Buckets[i].Name
	}
	rows, err := s.Queries(conn).BucketsRegister(ctx, db.BucketsRegisterParams{Ids: ids, Names: names})
	if err != nil {
		return nil, fmt.Errorf("register the buckets: %w", err)
	}
	s.buckets = make([]int32, len(r.Buckets))
	s.indexes[whole] = decide.Whole
	for _, row := range rows {
		i, _ := r.Bucket(row.ID)
		s.buckets[i], s.indexes[row.No] = row.No, i
	}
	if err := s.registerNames(ctx, conn); err != nil {
		return nil, err
	}
	s.always = always(r, s.needs, s.added)
	s.plain = s.plainOf()
	if err := s.registerSignals(ctx, conn); err != nil {
		return nil, err
	}
	if err := s.registerSequences(ctx, conn); err != nil {
		return nil, err
	}
	return s, s.registerProperties(ctx, conn)
}

// Queries returns the queries in the store's schema, run on a connection.
func (s *Store) Queries(conn db.DBTX) *db.Queries {
	if s.schema == DefaultSchema {
		return db.New(conn)
	}
	return db.New(inSchema{conn, s.SQL})
}

// QueriesIn returns the queries in a schema, run on a connection.
func QueriesIn(conn db.DBTX, schema string) *db.Queries {
	return (&Store{schema: schema}).Queries(conn)
}

// Bucket returns the database's number of a bucket, or the one of [decide.Whole].
func (s *Store) Bucket(b table.BucketIndex) int32 {
	if b == decide.Whole {
		return whole
	}
	return s.buckets[b]
}

// Index returns the index in the registry of the bucket with a number, if the registry has it.
func (s *Store) Index(no int32) (table.BucketIndex, bool) {
	i, known := s.indexes[no]
	return i, known
}

// DefaultSchema is the schema that the queries and migrations are written for.
const DefaultSchema = "bucketgen"

// SQL puts a statement into the store's schema.
func (s *Store) SQL(sql string) string { return InSchema(sql, s.schema) }

// InSchema puts a statement that was written for the default schema into another.
func InSchema(sql, schema string) string {
	if schema == DefaultSchema {
		return sql
	}
	return strings.ReplaceAll(sql, DefaultSchema+".", schema+".")
}

var schemaPattern = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,62}$`)

// CheckSchema returns an error if a name cannot be that of a schema. A valid name needs no quotes,
// so that it means the same everywhere.
func CheckSchema(schema string) error {
	if !schemaPattern.MatchString(schema) {
		return fmt.Errorf("the schema is called %q; use at most 63 lower-case letters, digits and underscores, not beginning with a digit", schema)
	}
	return nil
}

// inSchema runs statements in another schema than [DefaultSchema].
type inSchema struct {
	conn db.DBTX
	sql  func(string) string
}

func (c inSchema) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	return c.conn.Exec(ctx, c.sql(sql), args...)
}

func (c inSchema) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	return c.conn.Query(ctx, c.sql(sql), args...)
}

func (c inSchema) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	return c.conn.QueryRow(ctx, c.sql(sql), args...)
}

// timestamp and instant translate between the instants of the registry and those of PostgreSQL.
func timestamp(i table.Instant) pgtype.Timestamptz {
	if i == table.Unset {
		return pgtype.Timestamptz{}
	}
	return pgtype.Timestamptz{Time: i.Time(), Valid: true}
}

func instant(t pgtype.Timestamptz) table.Instant {
	if !t.Valid || t.InfinityModifier == pgtype.NegativeInfinity {
		return table.Unset
	}
	return table.At(t.Time)
}

// Timestamp is a time as the queries take it.
func Timestamp(t time.Time) pgtype.Timestamptz { return pgtype.Timestamptz{Time: t, Valid: true} }
