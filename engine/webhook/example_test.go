package webhook_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/webhook"
	"github.com/bucketgen/bucketgen/gen" //nolint:depguard // examples are of hosts, which hand their gen in
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/registry"
)

// receive returns what receives webhooks: it takes nothing that was not signed by the secret, or
// that was signed more than five minutes ago. A receiver that must not act twice stores the
// webhook-id.
func receive(secret string, do func(id string, t engine.Transition) error) http.HandlerFunc {
	verifier, err := standardwebhooks.NewWebhook(secret)
	check(err)
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if err := verifier.Verify(body, r.Header); err != nil {
			http.Error(w, err.Error(), http.StatusUnauthorized)
			return
		}
		var message struct {
			Type string            `json:"type"`
			Data engine.Transition `json:"data"`
		}
		if err := json.Unmarshal(body, &message); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if message.Type == "bucket.test" {
			return // anything of 2xx will do
		}
		if err := do(r.Header.Get(standardwebhooks.HeaderWebhookID), message.Data); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError) // it comes again
		}
	}
}

// An endpoint is made, and its receiver verifies what it gets by the secret.
func Example() {
	ctx := context.Background()
	pool, done := pgtest.Example() // in a program: pgxpool.New(ctx, os.Getenv("DATABASE_URL")), and migrate.Up once
	defer done()
	e, err := engine.New(pool, gen.Registry, engine.Config{})
	check(err)
	check(e.Start(ctx))
	defer func() { check(e.Stop(ctx)) }()
	hooks, err := webhook.New(e, pool, webhook.Config{AllowPrivate: true}) // the receiver is on this machine
	check(err)
	check(hooks.Start(ctx))
	defer func() { check(hooks.Stop(ctx)) }()

	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	defer server.Close()
	endpoint, err := hooks.Create(ctx, webhook.Endpoint{Name: "crm", URL: server.URL + "/hooks", Buckets: []string{"power-users"}})
	check(err)
	received := make(chan engine.Transition, 1)
	mux.Handle("POST /hooks", receive(endpoint.Secret, func(_ string, t engine.Transition) error {
		received <- t
		return nil
	}))
	answer, err := hooks.Test(ctx, "crm")
	check(err)
	fmt.Println("test:", answer)

	_, err = e.Ingest(ctx, engine.Event{UserID: "ada", Traits: registry.Traits(gen.Properties.Plan.Set("pro"))})
	check(err)
	for range 5 {
		_, err = e.Ingest(ctx, gen.AppActiveEvent{}.By("ada"))
		check(err)
	}
	t := <-received
	fmt.Println(t.UserID, t.Kind, t.BucketID)

	forged := httptest.NewRecorder()
	mux.ServeHTTP(forged, httptest.NewRequestWithContext(ctx, http.MethodPost, "/hooks", nil))
	fmt.Println("forged:", forged.Code)
	// Output:
	// test: 200 OK
	// ada entered power-users
	// forged: 401
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
