package engine_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/migrate"
	"github.com/bucketgen/bucketgen/internal/postgres"
	"github.com/bucketgen/bucketgen/internal/registrytest"
)

// TestStandbyIsAway lets commits wait for a synchronous standby that is not there. The engine has one flusher: it is replaced, so
// events of other users reach their commits as well. No waiting session is ended, the engine is not ready, and once no standby is
// named, every event is stored once.
func TestStandbyIsAway(t *testing.T) {
	t.Parallel()
	s, err := postgres.Start(t.Context(), postgres.Options{})
	must(t, err)
	t.Cleanup(func() { must(t, s.Stop()) })
	operator, err := pgx.Connect(t.Context(), s.URL)
	must(t, err)
	t.Cleanup(func() { _ = operator.Close(t.Context()) })
	pool := open(t, s.URL+"&pool_max_conns=12")
	_, err = migrate.Up(t.Context(), pool, migrate.Options{})
	must(t, err)
	e := startEngine(t, pool, registrytest.Build(t, pro), engine.Config{AnswerTimeout: 200 * time.Millisecond, Flushers: 1, NoClock: true, NoDelivery: true}, nil)
	set := func(standbys string) {
		t.Helper()
		for _, sql := range []string{"alter system set synchronous_standby_names = '" + standbys + "'", "select pg_reload_conf()"} {
			_, err := operator.Exec(t.Context(), sql, pgx.QueryExecModeSimpleProtocol)
			must(t, err)
		}
		eventually(t, func() bool {
			var now string
			err := pool.QueryRow(t.Context(), "select current_setting('synchronous_standby_names')").Scan(&now)
			return err == nil && now == standbys
		})
	}
	count := func(sql string) (n int) {
		t.Helper()
		must(t, operator.QueryRow(t.Context(), sql).Scan(&n))
		return n
	}
	waiting := func() int {
		return count("select count(*) from pg_stat_activity where wait_event = 'SyncRep' and backend_type = 'client backend'")
	}
	if _, err := e.Ingest(t.Context(), engine.Event{UserID: "first", Name: "visit"}); err != nil { // the name is stored
		t.Fatal(err)
	}
	set("absent")
	var group sync.WaitGroup
	const users = 3
	for i := range users {
		before := waiting()
		group.Go(func() {
			_, err := e.Ingest(t.Context(), engine.Event{UserID: "u" + itoa(i), Name: "visit", Key: "k" + itoa(i), Traits: map[string]any{"plan": "pro"}})
			if err != nil {
				t.Error(err)
			}
		})
		eventually(t, func() bool { return waiting() > before })
	}
	eventually(t, func() bool {
		unready, is := errors.AsType[*engine.UnreadyError](e.Ready(t.Context()))
		return is && strings.Contains(unready.Reason, "events have not been written")
	})
	if n := waiting(); n < users {
		t.Errorf("%d of %d commits are waiting for the standby", n, users)
	}
	set("")
	group.Wait()
	eventually(t, func() bool { return e.Ready(t.Context()) == nil })
	equal(t, "stored", count("select count(*) from bucketgen.events"), users+1)
	equal(t, "keys", count("select count(*) from bucketgen.idempotency_keys"), users)
	equal(t, "transitions", count("select count(*) from bucketgen.transitions"), users)
	equal(t, "refused", e.Stats().Refused, 0)
}
