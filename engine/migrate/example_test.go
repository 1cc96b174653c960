package migrate_test

import (
	"context"
	"fmt"

	"github.com/bucketgen/bucketgen/engine/migrate"
	"github.com/bucketgen/bucketgen/internal/pgtest"
)

// A program migrates before it starts engines, as a role that may change the schema. Migrations that the database has
// seen are not applied again.
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
	// applied 00001_core.sql
	// applied 00002_sequences.sql
	// applied 00003_deployments.sql
	// applied 00004_history.sql
	// applied 00005_reconciliations.sql
	// applied 00006_changes.sql
	// applied 00007_keys.sql
	// applied 00008_holder.sql
	// applied 00009_read_keys.sql
	// applied 00010_webhooks.sql
	// applied 00011_feed.sql
	// applied 00013_merges.sql
	// applied 00014_contacts_room.sql
	// applied 00015_programs.sql
	// applied 00016_catalog.sql
	// applied 00017_outbox.sql
	// applied 00018_property_dates.sql
	// applied 00019_time.sql
	// applied 00020_server_keys.sql
	// up to date
	// up to date
}
