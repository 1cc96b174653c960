//go:build studio

package studio_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
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
	url      string
}

func newNext(t testing.TB, w *world) *next {
	t.Helper()
	n := &next{registry: registrytest.Build(t, repeat, powerNext, lapsed, loyal, windfall, spenders, guests)}
	e, err := engine.New(w.pool, n.registry, engine.Config{NoClock: true, NoDelivery: true, NoJobs: true, Now: w.clock.Now, VirtualTime: true, Logger: quiet()})
	if err == nil {
		err = e.Start(t.Context())
	}
	if err == nil {
		n.engine = e
		n.page, err = studio.New(server.NewHandler(e, w.pool, "bucketgen", server.HTTP{}, quiet()), studio.Config{Prefix: nextPrefix, Now: w.clock.Now})
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
