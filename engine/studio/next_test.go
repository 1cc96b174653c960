//go:build studio

package studio_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/server"
	"github.com/bucketgen/bucketgen/engine/studio"
	"github.com/bucketgen/bucketgen/internal/registrytest"
	"github.com/bucketgen/bucketgen/registry"
)

// nextPrefix is where the Studio of the next definitions is.
const nextPrefix = "/shop/next"

// The definitions that the shop would deploy: one is changed, one new, one removed.
var (
	powerNext = bucket.Define(bucket.Spec{
		ID: "power-buyers", Name: "Power buyers", Description: "Customers with four purchases or more within 90 days.", Criteria: purchase.Within(90 * bucket.Day).AtLeast(4),
	})
	windfall = bucket.Define(bucket.Spec{ID: "windfall", Name: "Windfall", Criteria: purchase.Within(365 * bucket.Day).Sum(amount).AtLeast(500)})
)

// next is Studio in a process whose definitions are not deployed, served behind a proxy.
type next struct {
	registry *registry.Registry
	engine   *engine.Engine
	page     http.Handler
	old      http.Handler // old is the Studio of a process with the deployed definitions, at the same place.
	stale    atomic.Bool  // stale lets old answer.
	url      string
	held     chan struct{} // held is closed to let a backfill go on that was held; nil without one.
	ended    chan error    // ended receives how that backfill ended.
}

// hold begins a backfill and holds it once the first users have followed.
func (n *next) hold() error {
	reached, held := make(chan struct{}), make(chan struct{})
	n.held, n.ended = held, make(chan error, 1)
	progress := func(d engine.Deployment) {
		if d.Followed > 0 && d.Followed < d.Users {
			select {
			case <-reached:
			default:
				close(reached)
			}
			<-held
		}
	}
	go func() {
		_, err := n.engine.Deployments().Backfill(context.Background(), progress)
		n.ended <- err
	}()
	select {
	case <-reached:
		return nil
	case err := <-n.ended:
		n.held = nil
		return fmt.Errorf("the backfill ended before it was held: %w", cmp.Or(err, errors.New("all users follow")))
	}
}

// follow lets all users follow a deployment of the next definitions.
func (n *next) follow(ctx context.Context) error {
	if n.held != nil {
		close(n.held)
		n.held = nil
		if err := <-n.ended; err != nil {
			return err
		}
	}
	_, err := n.engine.Deployments().Backfill(ctx, nil)
	return err
}

// letGo ends a backfill that a failed test has held.
func (n *next) letGo() {
	if n.held != nil {
		close(n.held)
		n.held = nil
		<-n.ended
	}
}

func newNext(t testing.TB, w *world) *next {
	t.Helper()
	n := &next{registry: registrytest.Build(t, repeat, powerNext, lapsed, loyal, windfall, spenders, guests)}
	e, err := engine.New(w.pool, n.registry, engine.Config{NoClock: true, NoDelivery: true, NoJobs: true, Now: w.clock.Now, VirtualTime: true, SuppressionSecret: suppressionSecret, Logger: quiet()})
	if err == nil {
		err = e.Start(t.Context())
	}
	if err == nil {
		n.engine = e
		n.page, err = studio.New(server.NewHandler(e, w.pool, "bucketgen", server.HTTP{}, quiet()), studio.Config{Prefix: nextPrefix, Now: w.clock.Now})
	}
	if err == nil {
		n.old, err = studio.New(server.NewHandler(w.engine, w.pool, "bucketgen", server.HTTP{}, quiet()), studio.Config{Prefix: nextPrefix, Now: w.clock.Now})
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return n
}

// behindProxy starts a proxy that knows the server under another name than browsers do.
func (n *next) behindProxy(t testing.TB, server string) {
	t.Helper()
	to, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }, FlushInterval: -1})
	t.Cleanup(proxy.CloseClientConnections)
	t.Cleanup(proxy.Close)
	n.url = proxy.URL + nextPrefix
}

// ServeHTTP answers as one of two processes behind a balancer.
func (n *next) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if n.stale.Load() {
		n.old.ServeHTTP(w, r)
		return
	}
	n.page.ServeHTTP(w, r)
}

// plan returns what the command prints of a deployment.
func (n *next) plan(ctx context.Context, w *world) string {
	var out strings.Builder
	h := server.Host{Registry: n.registry, Name: "bucketd"}
	args := []string{"plan", "--database", w.url, "--at", w.clock.Now().Format(time.RFC3339)}
	if code := server.Run(ctx, h, args, strings.NewReader(""), &out, &out); code != 1 {
		out.WriteString("it does not say by its exit code that something would change")
	}
	return out.String()
}
