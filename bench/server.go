package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// load is what measured runs made the server do: what they wrote ahead and, if it counts statements
// (pg_stat_statements), which they were.
type load struct {
	pool       *pgxpool.Pool
	wal        int64
	counts     bool
	statements map[string]*statement
}

// statement is how often a statement ran, and how long that took.
type statement struct {
	Name  string
	Calls int64
	Took  float64 // milliseconds
}

func newLoad(ctx context.Context, pool *pgxpool.Pool) *load {
	_, err := pool.Exec(ctx, "create extension if not exists pg_stat_statements")
	l := &load{pool: pool, statements: map[string]*statement{}}
	if err == nil {
		_, err = pool.Exec(ctx, "select pg_stat_statements_reset()") // fails unless the library is loaded
	}
	l.counts = err == nil
	return l
}

// count counts what happens while something runs.
func (l *load) count(ctx context.Context, run func() error) error {
	var before, after int64
	const position = "select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint"
	if err := l.pool.QueryRow(ctx, position).Scan(&before); err != nil {
		return err
	}
	if l.counts {
		if _, err := l.pool.Exec(ctx, "select pg_stat_statements_reset()"); err != nil {
			return err
		}
	}
	if err := run(); err != nil {
		return err
	}
	if err := l.pool.QueryRow(ctx, position).Scan(&after); err != nil {
		return err
	}
	l.wal += after - before
	if !l.counts {
		return nil
	}
	rows, err := l.pool.Query(ctx, `select coalesce(substring(query from '-- name: (\w+)'), left(query, 40)), calls, total_exec_time from pg_stat_statements`)
	if err != nil {
		return err
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[statement])
	if err != nil {
		return err
	}
	for _, s := range all {
		sum := l.statements[s.Name]
		if sum == nil {
			sum = &statement{Name: s.Name}
			l.statements[s.Name] = sum
		}
		sum.Calls, sum.Took = sum.Calls+s.Calls, sum.Took+s.Took
	}
	return nil
}

// print prints the server's work for each event.
func (l *load) print(events int64, what string) {
	fmt.Printf("written ahead for each %s: %d bytes\n", what, l.wal/events)
	if !l.counts {
		return
	}
	var lines []string
	calls, took := int64(0), 0.0
	all := slices.SortedFunc(maps.Values(l.statements), func(a, b *statement) int { return cmp.Compare(b.Took, a.Took) })
	for _, s := range all {
		calls, took = calls+s.Calls, took+s.Took
		lines = append(lines, fmt.Sprintf("  %-40s %8.2f us, %.3f calls", s.Name, s.Took*float64(time.Millisecond/time.Microsecond)/float64(events), float64(s.Calls)/float64(events)))
	}
	fmt.Printf("statements for each %s: %.2f, %.1f us\n%s\n", what, float64(calls)/float64(events), took*1000/float64(events), strings.Join(lines, "\n"))
}
