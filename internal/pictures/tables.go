package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/engine/migrate"
	"github.com/bucketgen/bucketgen/internal/picture"
	"github.com/bucketgen/bucketgen/internal/postgres"
)

// groups are the columns of the map. Tables that are in none come last.
var groups = []struct {
	title  string
	tables []string
}{
	{"users", []string{"contacts", "identities", "merges", "changes", "hidings", "memberships", "due", "transitions", "erasures", "suppressions", "suppressed_events"}},
	{"events and facts", []string{"events", "idempotency_keys", "occurrences", "totals", "groups", "sums", "progress", "advances"}},
	{"names", []string{"event_names", "buckets", "properties", "signals", "sequences", "event_name_counts", "catalog", "catalog_hours"}},
	{"outbox and history", []string{"subscriptions", "deliveries", "endpoints", "endpoint_secrets", "endpoint_attempts", "rollups", "sizes", "size_changes", "rollup_progress"}},
	{"deployments", []string{"deployments", "definitions", "generation", "reconciliations", "processes", "writers", "compatibility"}},
}

// relation is a table of the schema.
type relation struct {
	name    string
	columns int
	key     string
	ofUser  bool // each row belongs to a user
}

// tables draws the tables of a migrated schema by what they are about.
func tables(ctx context.Context, server *postgres.Server) ([]byte, error) {
	pool, drop, err := database(ctx, server, "tables")
	if err != nil {
		return nil, err
	}
	defer drop()
	rows, err := pool.Query(ctx, `
		select c.relname, (select count(*) from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped),
			coalesce((select string_agg(a.attname, ', ' order by array_position(i.indkey::int2[], a.attnum))
				from pg_index i join pg_attribute a on a.attrelid = c.oid and a.attnum = any(i.indkey) where i.indrelid = c.oid and i.indisprimary), ''),
			exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'contact_id')
		from pg_class c where c.relnamespace = 'bucketgen'::regnamespace and c.relkind in ('r', 'p') order by 1`)
	if err != nil {
		return nil, err
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r relation, err error) {
		return r, row.Scan(&r.name, &r.columns, &r.key, &r.ofUser)
	})
	if err != nil {
		return nil, err
	}
	return drawTables(found), nil
}

func drawTables(found []relation) []byte {
	const wide, high, gap = 230, 46, 10
	listed := map[string]bool{}
	columns := make([][]relation, len(groups)+1)
	for i, g := range groups {
		for _, name := range g.tables {
			if at := slices.IndexFunc(found, func(r relation) bool { return r.name == name }); at >= 0 {
				columns[i] = append(columns[i], found[at])
				listed[name] = true
			}
		}
	}
	for _, r := range found {
		if !listed[r.name] {
			columns[len(groups)] = append(columns[len(groups)], r)
		}
	}
	longest := 0
	for _, c := range columns {
		longest = max(longest, len(c))
	}
	p := picture.New(len(columns)*(wide+gap)+gap, 70+longest*(high+gap))
	for i, column := range columns {
		x, title := gap+i*(wide+gap), "server and rest"
		if i < len(groups) {
			title = groups[i].title
		}
		p.Text("strong", "start", x+2, 24, title)
		for j, r := range column {
			y := 38 + j*(high+gap)
			p.Box("box", x, y, wide, high)
			if r.ofUser || r.name == "contacts" {
				p.Box("mark", x, y, 4, high)
			}
			p.Text("code strong", "start", x+12, y+19, r.name)
			p.Text("small", "end", x+wide-8, y+19, fmt.Sprintf("%d columns", r.columns))
			p.Text("small", "start", x+12, y+37, short(r.key))
		}
	}
	p.Text("small", "start", gap+2, 58+longest*(high+gap), "below a name: its primary key. A coloured edge: each row belongs to a user, and the user's lock guards it.")
	return p.SVG(fmt.Sprintf("Map of the %d tables of the engine, by what they are about", len(found)))
}

func short(key string) string {
	const most = 32
	if len(key) > most {
		return key[:most-1] + "…"
	}
	return key
}

// database makes a database with the tables of the engine.
func database(ctx context.Context, server *postgres.Server, name string) (pool *pgxpool.Pool, drop func(), err error) {
	admin, err := pgx.Connect(ctx, server.URL)
	if err != nil {
		return nil, nil, err
	}
	defer admin.Close(ctx)
	for _, statement := range []string{"drop database if exists picture_" + name + " with (force)", "create database picture_" + name} {
		if _, err := admin.Exec(ctx, statement); err != nil {
			return nil, nil, err
		}
	}
	if pool, err = pgxpool.New(ctx, server.Database("picture_"+name)); err != nil {
		return nil, nil, err
	}
	_, err = migrate.Up(ctx, pool, migrate.Options{})
	return pool, pool.Close, err
}
