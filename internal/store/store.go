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
	"github.com/bucketgen/bucketgen/internal/usercache"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Store knows the database's numbers for the names of a registry. It may be used from several goroutines.
type Store struct {
	// OwnTime says that the caller's clock is not one of the world, as in a test or a simulation: users go by it, however far
	// it is from the database's. It is set before the store is used. See [Facts.Clock].
	OwnTime bool

	registry  *table.Registry
	schema    string
	events    []int32                     // by registry.Event
	eventOf   map[int32]table.EventIndex  // the other way round
	buckets   []int32                     // by table.BucketIndex
	indexes   map[int32]table.BucketIndex // the other way round
	names     names
	limits    NameLimits
	signals   []int32                     // by registry.Signal
	sequences []int32                     // by registry.Sequence
	needs     [][]table.Need              // by table.BucketIndex
	always    [][]table.Need              // by registry.Event
	added     [][]table.Need              // by registry.Event
	plain     map[int32]table.SignalIndex // by the number of the event of which it is every occurrence
	signalOf  map[int32]table.SignalIndex
	cache     *usercache.Cache
	history   []int32 // numbers of the properties whose last changes are read

	properties []int32                       // by registry.Property; 0: it lies inside of another
	propertyOf map[int32]table.PropertyIndex // the other way round

	deployment atomic.Pointer[Deployment]
}

// Conn is what statements are run on: a connection, or a transaction.
type Conn interface {
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
	db.DBTX
}

// New gives the buckets and events of a registry numbers in the database, where they have none yet. The store remembers
// users in so many bytes of memory, roughly, and event names within limits.
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

// Bucket returns the database's number of a bucket.
func (s *Store) Bucket(b table.BucketIndex) int32 { return s.buckets[b] }

// Index returns the place in the registry of the bucket with a number, if it has one.
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

// CheckSchema returns an error if a name cannot be that of a schema. It must not need quotes, so that it means the same
// wherever it is written.
func CheckSchema(schema string) error {
	if !schemaPattern.MatchString(schema) {
		return fmt.Errorf("the schema is called %q; use at most 63 lower-case letters, digits and underscores, not beginning with a digit", schema)
	}
	return nil
}

// inSchema runs statements in another schema than the one that they were written for.
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
