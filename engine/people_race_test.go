package engine_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/registrytest"
)

// TestSharedDeviceRace lets two users sign in on one device at the same moment, by two engines:
// what the visitor did becomes the past of exactly one of them, and the id is shared afterwards. No
// id leads to two contacts.
func TestSharedDeviceRace(t *testing.T) {
	t.Parallel()
	const devices, workers = 200, 16
	pool := pgtest.New(t)
	r := registrytest.Build(t, regulars, bucket.Define(bucket.Spec{ID: "visitors", Anonymous: bucket.Include, Criteria: visit.Exists()}))
	engines := []*engine.Engine{startEngine(t, pool, r, engine.Config{}, nil), startEngine(t, pool, r, engine.Config{NoClock: true}, nil)}
	ingest := func(e *engine.Engine, ev engine.Event) {
		if _, err := e.Ingest(t.Context(), ev); err != nil {
			t.Error(err)
		}
	}
	var group sync.WaitGroup
	for worker := range workers {
		group.Go(func() {
			for i := worker; i < devices; i += workers {
				device := fmt.Sprint("device-", i)
				ingest(engines[i%2], engine.Event{AnonymousID: device, Name: "visit"})
				if i%3 == 0 { // else both are new
					ingest(engines[0], engine.Event{UserID: fmt.Sprint("a", i), Name: "login"})
				}
				var both sync.WaitGroup
				for place, user := range []string{"a", "b"} {
					both.Go(func() {
						ingest(engines[place], engine.Event{UserID: fmt.Sprint(user, i), AnonymousID: device, Name: "login"})
					})
				}
				both.Wait()
				ingest(engines[i%2], engine.Event{AnonymousID: device, Name: "visit"}) // by neither
			}
		})
	}
	group.Wait()
	for _, check := range []struct {
		query, what string
		want        int
	}{
		{"select count(*) from bucketgen.identities where kind = 'anonymous' and shared", "shared ids", devices},
		{"select count(*) from bucketgen.identities where kind = 'anonymous' and not shared", "ids of one user", 0},
		{"select count(*) from bucketgen.contacts c join bucketgen.memberships m on m.contact_id = c.id where c.user_id ~ '^[ab]' and m.left_at is null " +
			"and m.bucket_no = (select no from bucketgen.buckets where id = 'visitors')", "users with a past", devices},
		{"select count(*) from bucketgen.contacts where user_id like chr(1) || 'shared%' and merged_at is null", "contacts of shared ids", devices},
		{"select count(*) from (select contact_id, event_no from bucketgen.events group by 1, 2 having count(*) > 2) e", "contacts with the past of two", 0},
		{"select count(*) from bucketgen.merges m where m.from_name !~ '^\\x01'", "merges of two known users", 0},
	} {
		got := 0
		if err := pool.QueryRow(t.Context(), check.query).Scan(&got); err != nil {
			t.Fatal(err)
		}
		if got != check.want {
			t.Errorf("got %d %s, want %d", got, check.what, check.want)
		}
	}
}
