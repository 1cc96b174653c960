package engine_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/engine"
)

// TestEraseAll erases many users by a job, and one who is unknown. No id is left in the job.
func TestEraseAll(t *testing.T) {
	t.Parallel()
	w := newSecretWorld(t, pro)
	ids := []string{"unknown"}
	for i := range 20 {
		ids = append(ids, fmt.Sprintf("erased-%d", i))
		w.identify(ids[i+1], map[string]any{"plan": "pro"})
	}
	w.identify("ada", map[string]any{"plan": "pro"})
	j, err := w.People().EraseAll(t.Context(), ids, engine.BulkOptions{EraseOptions: engine.EraseOptions{By: "eve", Ticket: "T1"}, Rate: 1000})
	must(t, err)
	j = w.finished(t, j.ID)
	equal(t, "result", j.Erase, &bucketgen.BulkErasure{Asked: 21, Erased: 20, Events: 20, Rows: j.Erase.Rows})
	equal(t, "contacts", w.count("select count(*) from bucketgen.contacts"), 1)
	equal(t, "ids of the job", w.count("select count(*) from bucketgen.job_users"), 0)
	equal(t, "traces", w.traces("erased-"), []string{"hidings.user_id"})
	all, _, err := w.People().Erasures(t.Context(), engine.Page{})
	must(t, err)
	equal(t, "erasures", []any{len(all), all[0].By, all[0].Ticket}, []any{20, "eve", "T1"})
	for want, call := range map[string]func() error{
		"ids: has 0 ids; give 1 to 5000": func() error { _, err := w.People().EraseAll(t.Context(), nil, engine.BulkOptions{}); return err },
		"ids[1]: is empty, longer than 255": func() error {
			_, err := w.People().EraseAll(t.Context(), []string{"a", ""}, engine.BulkOptions{})
			return err
		},
		"rate: is 1001; it must be 1 to 1000": func() error {
			_, err := w.People().EraseAll(t.Context(), []string{"a"}, engine.BulkOptions{Rate: 1001})
			return err
		},
	} {
		if err := call(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// finished waits for the end of a job.
func (w *world) finished(t *testing.T, id int64) engine.Job {
	t.Helper()
	var j engine.Job
	eventually(t, func() bool {
		var err error
		j, err = w.Jobs().Get(t.Context(), id)
		must(t, err)
		return j.Finished()
	})
	if j.State != bucketgen.JobDone {
		t.Fatalf("the job is %s: %s", j.State, j.Error)
	}
	return j
}

// TestEraseJobGoesOn takes a job away from the process that works on it, as if that had died: the
// job goes on with the rest of the ids (B8).
func TestEraseJobGoesOn(t *testing.T) {
	t.Parallel()
	w := newSecretWorld(t, pro)
	const most = 300
	ids, events := make([]string, most), make([]engine.Event, most)
	for i := range ids {
		ids[i] = fmt.Sprintf("erased-%d", i)
		events[i] = engine.Event{UserID: ids[i], Traits: map[string]any{"plan": "pro"}}
	}
	_, err := w.IngestBatch(t.Context(), events)
	must(t, err)
	j, err := w.People().EraseAll(t.Context(), ids, engine.BulkOptions{Rate: 200})
	must(t, err)
	left := func() int { return w.count("select count(*) from bucketgen.job_users") }
	eventually(t, func() bool { return left() < most*2/3 })
	if left() == 0 {
		t.Fatal("the job was done before it was taken away")
	}
	_, err = w.pool.Exec(t.Context(), "update bucketgen.jobs set lease = gen_random_uuid(), leased_until = $1", epoch)
	must(t, err)
	j = w.finished(t, j.ID)
	equal(t, "attempts", j.Attempts, 2)
	equal(t, "result", *j.Erase, bucketgen.BulkErasure{Asked: most, Erased: most, Events: most, Rows: j.Erase.Rows})
	equal(t, "contacts", w.count("select count(*) from bucketgen.contacts"), 0)
	equal(t, "ids", left(), 0)
}

// TestEraseByID erases persons by ids as people write them: the address in other letters, and an
// anonymous id that is also a user's id. The user of that id stays.
func TestEraseByID(t *testing.T) {
	t.Parallel()
	w := newSecretWorld(t, pro)
	for _, ev := range []engine.Event{
		{Email: "bob@example.org", Name: "visit"},
		{AnonymousID: "same", Name: "visit"},
		{AnonymousID: "other", Name: "visit"},
		{UserID: "same", Name: "visit"},
		{UserID: "ada", Name: "visit"},
	} {
		_, err := w.Ingest(t.Context(), ev)
		must(t, err)
	}
	_, err := w.People().Erase(t.Context(), " Bob@Example.org ", engine.EraseOptions{Kind: engine.KindEmail, Suppress: true})
	must(t, err)
	for id, kind := range map[string]string{"BOB@example.org": engine.KindEmail, engine.By(engine.KindEmail, "bob@example.org"): ""} {
		known, err := w.People().Suppression(t.Context(), kind, id)
		must(t, err)
		equal(t, "suppressed "+id, known.Suppressed, true)
	}
	_, err = w.People().Erase(t.Context(), engine.By(engine.KindAnonymous, "other"), engine.EraseOptions{})
	must(t, err)
	j, err := w.People().EraseAll(t.Context(), []string{" same "}, engine.BulkOptions{EraseOptions: engine.EraseOptions{Kind: engine.KindAnonymous}})
	must(t, err)
	equal(t, "erased", w.finished(t, j.ID).Erase.Erased, int64(1))
	equal(t, "who is left", w.count("select count(*) from bucketgen.contacts where user_id in ('same', 'ada')"), 2)
	equal(t, "contacts", w.count("select count(*) from bucketgen.contacts"), 2)
}
