package webhook_test

import (
	"context"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/webhook"
	"github.com/bucketgen/bucketgen/internal/child"
	"github.com/bucketgen/bucketgen/internal/registrytest"
)

// workerVar lets the program of this test be another that posts webhooks of the database that it
// names, until it is killed.
const workerVar = "BUCKETGEN_WEBHOOK_WORKER"

func work(url string) error {
	ctx := context.Background()
	pool, err := pgxpool.New(ctx, url)
	if err != nil {
		return err
	}
	r, err := registrytest.Of(pro)
	if err != nil {
		return err
	}
	e, err := engine.New(pool, r, engine.Config{NoClock: true})
	if err != nil {
		return err
	}
	if err := e.Start(ctx); err != nil {
		return err
	}
	s, err := webhook.New(e, pool, local)
	if err != nil {
		return err
	}
	if err := s.Start(ctx); err != nil {
		return err
	}
	select {}
}

// TestKilledBeforeItIsSettled kills a process when the endpoint has its webhook and before the
// database knows: another process posts it again, with the same id.
func TestKilledBeforeItIsSettled(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	r := newReceiver(t)
	w.endpoint("crm", r.URL)
	w.joins("ada")
	worker, err := child.Command(t.Context(), workerVar, w.Pool.Config().ConnString())
	must(t, err)
	worker.Stderr = os.Stderr
	started, killed := make(chan struct{}), make(chan struct{})
	r.does(func(http.ResponseWriter, *http.Request) {
		<-started
		if err := worker.Process.Kill(); err != nil {
			t.Error(err)
		}
		_ = worker.Wait()
		close(killed)
	})
	must(t, worker.Start())
	close(started)
	<-killed
	r.does(nil)
	equal(t, "waiting", w.waiting(), 1)
	w.serve(local)
	w.Time.Advance(time.Minute) // the lease
	posts := r.got(t, 2)
	equal(t, "id", posts[1].id(), posts[0].id())
	equal(t, "body", string(posts[1].body), string(posts[0].body))
	eventually(t, func() bool { return w.waiting() == 0 })
}
