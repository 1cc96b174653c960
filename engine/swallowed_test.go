package engine_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/pgproxy"
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/registrytest"
)

// prepared is the name under which pgx prepares a statement, by which its messages are recognised.
func prepared(sql string) []byte {
	sum := sha256.Sum256([]byte(sql))
	return []byte("stmtcache_" + hex.EncodeToString(sum[:24]))
}

// TestSwallowedCommit lets a network swallow the COMMIT of as many transactions as there are
// flushers, without ending the connections. Their users are free soon, for this engine and for
// others, and every event is stored once.
func TestSwallowedCommit(t *testing.T) {
	t.Parallel()
	url := pgtest.NewURL(t)
	proxy := pgproxy.New(t, url, prepared("commit"))
	r := registrytest.Build(t, pro, regulars)
	e := startEngine(t, open(t, proxy.URL(t, url)+"&pool_max_conns=12"), r, engine.Config{AnswerTimeout: 300 * time.Millisecond}, nil)
	other := startEngine(t, open(t, url), r, engine.Config{NoClock: true}, nil)
	const users = 40
	event := func(user int, key string) engine.Event {
		return engine.Event{UserID: fmt.Sprintf("u%d", user), Name: "visit", Key: key, Traits: map[string]any{"plan": "pro"}}
	}
	for user := range users {
		if _, err := e.Ingest(t.Context(), event(user, "first")); err != nil {
			t.Fatal(err)
		}
	}
	proxy.Swallow(true)
	var group sync.WaitGroup
	for user := range users {
		group.Go(func() {
			if _, err := e.Ingest(t.Context(), event(user, "swallowed")); err != nil {
				t.Error(err)
			}
		})
	}
	eventually(t, func() bool { return proxy.Swallowed() >= 2 })
	eventually(t, func() bool {
		unready, is := errors.AsType[*engine.UnreadyError](e.Ready(t.Context()))
		return is && strings.Contains(unready.Reason, "events have not been written")
	})
	for user := range users { // the locks are free, or become so
		if _, err := other.Ingest(t.Context(), event(user, "other")); err != nil {
			t.Error(err)
		}
	}
	proxy.Swallow(false)
	group.Wait()
	eventually(t, func() bool { return e.Ready(t.Context()) == nil })
	var stored, keys int
	if err := open(t, url).QueryRow(t.Context(), "select (select count(*) from bucketgen.events), (select count(*) from bucketgen.idempotency_keys)").Scan(&stored, &keys); err != nil {
		t.Fatal(err)
	}
	equal(t, "stored", stored, 3*users)
	equal(t, "keys", keys, 3*users)
}

// TestErasedAlthoughTheAnswerIsLost lets a network swallow the answer to the COMMIT of an erasure.
// The caller learns that the person is erased, and not that there is none.
func TestErasedAlthoughTheAnswerIsLost(t *testing.T) {
	t.Parallel()
	url := pgtest.NewURL(t)
	proxy := pgproxy.New(t, url, prepared("commit"))
	r := registrytest.Build(t, pro)
	e := startEngine(t, open(t, proxy.URL(t, url)+"&pool_max_conns=12"), r, engine.Config{AnswerTimeout: 300 * time.Millisecond, NoClock: true}, nil)
	if _, err := e.Ingest(t.Context(), engine.Event{UserID: "ada", Name: "visit"}); err != nil {
		t.Fatal(err)
	}
	proxy.Mute(true)
	var erased engine.Erasure
	failed := make(chan error)
	go func() {
		var err error
		erased, err = e.People().Erase(t.Context(), "ada", engine.EraseOptions{Ticket: "42"})
		failed <- err
	}()
	w := &world{t: t, pool: open(t, url)}
	eventually(t, func() bool { return w.count("select count(*) from bucketgen.contacts where user_id = 'ada'") == 0 })
	proxy.Mute(false)
	if err := <-failed; err != nil {
		t.Fatal(err)
	}
	equal(t, "ticket", erased.Ticket, "42")
	equal(t, "erasures", w.count("select count(*) from bucketgen.erasures"), 1)
}
