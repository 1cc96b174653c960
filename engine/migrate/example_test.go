package migrate_test

import (
	"context"
	"log"
	"os"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/engine/migrate"
)

// A step of a deployment makes the tables, by a role that may. Most often there is nothing to apply.
func ExampleUp() { //nolint:testableexamples // it works on a database of the host's
	ctx := context.Background()
	pool, err := pgxpool.New(ctx, os.Getenv("ADMIN_DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	applied, err := migrate.Up(ctx, pool, migrate.Options{})
	for _, m := range applied {
		log.Printf("applied %s in %s", m.File, m.Duration)
	}
	if err != nil {
		log.Panic(err)
	}
}
