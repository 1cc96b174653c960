package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/server"
	"github.com/bucketgen/bucketgen/internal/pgtest"
)

// lost is a service that does not reach what it works with.
type lost struct{}

func (lost) Start(context.Context) error { return nil }
func (lost) Stop(context.Context) error  { return nil }
func (lost) String() string              { return "with a scheduler" }
func (lost) Check(context.Context) error { return errors.New("no answer from localhost:7077") }

// TestDoctorFindsWhatIsWrong checks clocks that are too far apart, deliveries that wait or were
// given up, a due instant that is overdue, and a service that is away. For each it suggests a fix.
func TestDoctorFindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	url := pgtest.NewURL(t)
	pool := pgtest.Open(t, url)
	e := startOn(t, pool, tracked(t), engine.Config{NoClock: true, NoDelivery: true})
	if _, err := e.Ingest(t.Context(), engine.Event{UserID: "ada", Traits: map[string]any{"plan": "pro"}}); err != nil {
		t.Fatal(err)
	}
	h := server.Host{Registry: tracked(t), Name: "bucketd", Config: engine.Config{Skew: time.Nanosecond}}
	h.Services = func(*engine.Engine) ([]server.Service, error) { return []server.Service{lost{}}, nil }
	deliveries := func(state string) {
		t.Helper()
		if _, err := pool.Exec(t.Context(), "delete from bucketgen.deliveries"); err != nil {
			t.Fatal(err)
		}
		if _, err := pool.Exec(t.Context(), `with s as (
			insert into bucketgen.subscriptions (name, kinds) values ('mail', '{entered}') on conflict (name) do update set name = excluded.name returning no
		), old as (
			update bucketgen.transitions set decided_at = now() - interval '1 hour' returning contact_id, bucket_no, id
		) insert into bucketgen.deliveries (contact_id, subscription_no, bucket_no, transition_id, state, next_at)
		select old.contact_id, s.no, old.bucket_no, old.id, $1, now() from s, old`, state); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := pool.Exec(t.Context(), `insert into bucketgen.due (contact_id, bucket_no, due_at)
		select m.contact_id, m.bucket_no, now() - interval '1 hour' from bucketgen.memberships m`); err != nil {
		t.Fatal(err)
	}
	deliveries("waiting")
	for look, want := range map[string]string{
		"clocks": "failed apart NTP", "clock": "warning has been waiting for 1h log", "outbox": `warning "mail" since unsubscribe`, "services": "failed localhost:7077 setting",
	} {
		found(t, h, url, look, want)
	}
	if _, err := pool.Exec(t.Context(), `insert into bucketgen.processes (id, host, pid, fingerprint, started_at, seen_at, ahead_us)
		select gen_random_uuid(), 'fast', 7, d.fingerprint, now(), now(), 2500000 from bucketgen.deployments d`); err != nil {
		t.Fatal(err)
	}
	found(t, h, url, "processes", "warning fast (pid 7) by 2.5s NTP")
	if _, err := pool.Exec(t.Context(), "insert into bucketgen.migrations (version_id, is_applied) values (1000, true)"); err != nil {
		t.Fatal(err)
	}
	found(t, h, url, "tables", "warning version 1000 update")
	deliveries("dead")
	found(t, h, url, "outbox", "warning 1 delivery is given up replay")
}

// found checks what the doctor says about something: its state, and the words after that.
func found(t *testing.T, h server.Host, url, look, want string) {
	t.Helper()
	var out bytes.Buffer
	if code := server.Run(t.Context(), h, []string{"doctor", "--json", "--database", url}, strings.NewReader(""), &out, io.Discard); code != 2 {
		t.Errorf("exit code %d, want 2", code)
	}
	for in := json.NewDecoder(&out); in.More(); {
		var f struct{ Name, State, Says, Fix string }
		if err := in.Decode(&f); err != nil {
			t.Fatal(err)
		}
		if f.Name != look {
			continue
		}
		for word := range strings.FieldsSeq(want) {
			if !strings.Contains(f.State+" "+f.Says+" "+f.Fix, word) {
				t.Errorf("%s is %+v, want %q", look, f, want)
			}
		}
		return
	}
	t.Errorf("nothing is said about %s", look)
}
