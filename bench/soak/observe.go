package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// observation is how everything is at one moment. Numbers are in the units of the curves.
type observation struct {
	at     time.Duration // since the run began
	values [len(curves)]float64

	// What the worker that is never killed has done by then.
	events, handled int64
}

// curve is something that may not grow.
type curve struct {
	name string
	unit string

	// slack is by how much the last third of the run may be above the middle third, beside a
	// quarter: what comes and goes by chance.
	slack float64
}

// The curves, by their places in an observation.
const (
	memory = iota
	heap
	goroutines
	connections
	tables
	dead
	lag
	waiting
)

var curves = [...]curve{
	memory:      {"memory of a process", "MB", 30},
	heap:        {"heap of a process", "MB", 15},
	goroutines:  {"goroutines of a process", "", 20},
	connections: {"connections", "", 6},
	tables:      {"tables and indexes", "MB", 10},
	dead:        {"dead rows", "thousand", 20},
	lag:         {"clock behind by", "s", 10},
	waiting:     {"deliveries that wait", "", 300},
}

func (o observation) String() string {
	parts := make([]string, len(curves))
	for i, c := range curves {
		parts[i] = strings.TrimSpace(fmt.Sprintf("%s %.4g %s", c.name, o.values[i], c.unit))
	}
	return strings.Join(parts, ", ")
}

// observe asks the database, and the worker that is never killed.
func (s *soak) observe(ctx context.Context) (o observation, err error) {
	o.at = time.Since(s.begin)
	steady := s.workers[0]
	for _, p := range s.workers {
		if err := p.running(); err != nil {
			return o, err
		}
	}
	resident, err := steady.resident()
	if err != nil {
		return o, err
	}
	const mega = 1 << 20
	is := steady.sample()
	o.events, o.handled = is.Events, is.Handled
	o.values[memory], o.values[heap], o.values[goroutines] = float64(resident)/mega, float64(is.Heap)/mega, float64(is.Goroutines)
	// Deliveries that a failure put off do not wait for anything to become faster.
	const sql = `select
    (select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()),
    (select sum(pg_total_relation_size(c.oid))::float8 / 1048576 from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'bucketgen' and c.relkind = 'r'),
    (select coalesce(sum(n_dead_tup), 0)::float8 / 1000 from pg_stat_user_tables),
    (select coalesce(greatest(extract(epoch from clock_timestamp() - min(due_at)), 0), 0)::float8 from bucketgen.due),
    (select count(*) from bucketgen.deliveries where state = 'waiting' and attempts = 0)`
	v := &o.values
	err = s.pool.QueryRow(ctx, sql).Scan(&v[connections], &v[tables], &v[dead], &v[lag], &v[waiting])
	if err != nil {
		return o, fmt.Errorf("observe the database: %w", err)
	}
	return o, nil
}

// largest prints the largest tables.
func (s *soak) largest(ctx context.Context, out io.Writer) error {
	const most = 8
	rows, err := s.pool.Query(ctx, `select s.relname, pg_total_relation_size(s.relid)::float8 / 1048576, n_live_tup
from pg_stat_user_tables s order by 2 desc limit $1`, most)
	if err != nil {
		return fmt.Errorf("read the sizes of tables: %w", err)
	}
	var table string
	var size float64
	var live int64
	_, err = pgx.ForEachRow(rows, []any{&table, &size, &live}, func() error {
		_, err := fmt.Fprintf(out, "  %-24s %6.1f MB, some %d rows\n", table, size, live)
		return err //nolint:wrapcheck // wrapped below
	})
	if err != nil {
		return fmt.Errorf("read the sizes of tables: %w", err)
	}
	return nil
}
