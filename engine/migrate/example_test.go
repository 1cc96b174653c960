package migrate_test

import (
	"context"
	"fmt"

	"github.com/bucketgen/bucketgen/engine/migrate"
	"github.com/bucketgen/bucketgen/internal/pgtest"
)

// A program migrates before it starts engines, as a role that may change the schema. Migrations
// that the database has seen are not applied again.
func ExampleUp() {
	ctx := context.Background()
	pool, done := pgtest.Example() // in a program: pgxpool.New(ctx, os.Getenv("DATABASE_URL"))
	defer done()

	for range 2 {
		applied, err := migrate.Up(ctx, pool, migrate.Options{Schema: "segments"})
		if err != nil {
			panic(err)
		}
		for _, m := range applied {
			fmt.Println("applied", m.File)
		}
		fmt.Println("up to date")
	}
	// Output:
	// applied 00001_init.sql
	// up to date
	// up to date
}
