package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/server"
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/waitfor"
)

// TestServePostsWebhooks has serve post what happened before it ran: not to this machine, at first;
// and once that was given up and is replayed, with leave to do so.
func TestServePostsWebhooks(t *testing.T) {
	t.Parallel()
	url, r := pgtest.NewURL(t), pro(t)
	pool := pgtest.Open(t, url)
	posted := make(chan engine.Transition, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, in *http.Request) {
		var body struct {
			Data engine.Transition `json:"data"`
		}
		if err := json.NewDecoder(in.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		posted <- body.Data
	}))
	t.Cleanup(receiver.Close)
	write := func(ctx context.Context, out io.Writer, args ...string) {
		if code := server.Run(ctx, server.Host{Registry: r, Name: "shopd"}, append(args, "--database", url), strings.NewReader(""), out, out); code != 0 {
			t.Errorf("%v: exit code %d\n%s", args, code, out)
		}
	}
	run := func(args ...string) string {
		var out bytes.Buffer
		write(t.Context(), &out, args...)
		return out.String()
	}
	serve := func(args ...string) (stop func() string) {
		ctx, interrupt := context.WithCancel(t.Context())
		serving, ended := make(chan struct{}), make(chan struct{})
		out := &watcher{text: "interrupt to stop\n", call: func() { close(serving) }}
		go func() {
			defer close(ended)
			write(ctx, out, append([]string{"serve", "--listen", "localhost:0"}, args...)...)
		}()
		return func() string {
			select {
			case <-serving: // it posts a moment before
			case <-ended:
			}
			interrupt()
			<-ended
			return out.String()
		}
	}
	enter(t, url, r, "ada") // so that the bucket is known
	run("webhooks", "create", "crm", receiver.URL, "--allow-private", "--bucket", "pro")
	enter(t, url, r, "bob")

	stop := serve()
	eventually(t, func() bool {
		tag, err := pool.Exec(t.Context(), "update bucketgen.deliveries set state = 'dead' where error like 'leads to 127.0.0.1%' and lease is null")
		return err == nil && tag.RowsAffected() == 1
	})
	if out := stop(); !strings.Contains(out, "\nwebhooks: 1 endpoint\n") {
		t.Errorf("got\n%s", out)
	}
	if out := run("webhooks", "dead", "crm"); !strings.Contains(out, "bob   bucket:entered:pro  1         leads to 127.0.0.1") {
		t.Errorf("got\n%s", out)
	}
	if out := run("webhooks", "replay", "1"); out != "replayed 1 webhook\n" {
		t.Errorf("got\n%s", out)
	}

	stop = serve("--allow-private-webhooks")
	if got := waitfor.Next(t, posted); got.UserID != "bob" || !got.Replayed {
		t.Errorf("posted %+v", got)
	}
	stop()
}
