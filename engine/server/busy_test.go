package server_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/waitfor"
)

// TestTooManyMergesByHTTP holds the lock of a user into whom others merge. One merge runs and one
// waits; a further one is engine.ErrBusy, which gets 503 and Retry-After. Sent again, it is done.
func TestTooManyMergesByHTTP(t *testing.T) {
	t.Parallel()
	const users = 8
	a := newAPI(t, engine.Config{NoClock: true, MaxMerges: 1, MaxMergesWaiting: 1})
	a.key = command(t, "keys", "create", "backend", "--server", "--database", a.url)
	identify := func(user string) {
		t.Helper()
		if got, body := a.send(t, "/v1/identify", strings.NewReader(`{"userId":"`+user+`","traits":{"plan":"pro"}}`), nil); got.StatusCode != http.StatusOK {
			t.Fatal(body)
		}
	}
	identify("ada")
	for i := range users {
		identify(fmt.Sprint("u", i))
	}
	tx, err := a.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "select from bucketgen.contacts where user_id = 'ada' for no key update"); err != nil {
		t.Fatal(err)
	}
	merge := func(i int) (answer, string) {
		return a.send(t, "/v1/alias", strings.NewReader(fmt.Sprintf(`{"previousId":"u%d","userId":"ada"}`, i)), nil)
	}
	var senders sync.WaitGroup
	refused := make(chan int, users)
	for i := range users {
		senders.Go(func() {
			got, body := merge(i)
			switch {
			case got.StatusCode == http.StatusServiceUnavailable && got.Header.Get("Retry-After") == "1":
				refused <- i
			case got.StatusCode != http.StatusOK:
				t.Errorf("user %d: got %d %v %s, want 200, or 503 and Retry-After", i, got.StatusCode, got.Header, body)
			}
		})
	}
	var again []int
	for range users - 2 { // while the lock is held, so that they did not wait for the database
		again = append(again, <-refused)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	senders.Wait()
	if len(refused) > 0 {
		t.Errorf("%d more merges were refused, want the one that ran and the one that waited to be done", len(refused))
	}
	for _, i := range again {
		waitfor.That(t, func() bool { got, _ := merge(i); return got.StatusCode == http.StatusOK })
	}
}
