package engine_test

import (
	"testing"

	"github.com/bucketgen/bucketgen/engine"
)

// TestIDsAreCleaned names users with blanks around their ids, as events may: no call makes another
// user of them.
func TestIDsAreCleaned(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testers, pro)
	ctx := t.Context()
	w.track("ada", "visit")
	made, err := w.Add(ctx, w.manual("testers"), " ada\t")
	must(t, err)
	equal(t, "added", brief(made), []string{"entered testers 1"})
	made, err = w.Remove(ctx, w.manual("testers"), "ada ")
	must(t, err)
	equal(t, "removed", brief(made), []string{"left testers 1 by manual"})
	tx, err := w.pool.Begin(ctx)
	must(t, err)
	_, err = w.AddTx(ctx, tx, w.manual("testers"), " ada")
	must(t, err)
	must(t, tx.Commit(ctx))
	equal(t, "added in a transaction", w.has("testers", "ada"), true)
	w.ingest(engine.Event{Email: "Bob@Example.com", Name: "visit"})
	_, err = w.Merge(ctx, engine.By(engine.KindEmail, " BOB@example.com"), " ada")
	must(t, err)
	_, err = w.Merge(ctx, "eve ", "\nada")
	must(t, err)
	must(t, w.Users().Alias(ctx, " phone", "ada ", engine.AliasOptions{}))
	must(t, w.Delete(ctx, "ada "))
	equal(t, "users", w.count("select count(*) from bucketgen.contacts where merged_at is null"), 1)
	equal(t, "names", w.count("select count(*) from bucketgen.contacts where user_id ~ '^\\s|\\s$'"), 0)
}
