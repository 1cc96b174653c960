package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/server"
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/registrytest"
	"github.com/bucketgen/bucketgen/registry"
)

// pro are the buckets of these tests.
func pro(t *testing.T) *registry.Registry {
	t.Helper()
	return registrytest.Build(t, bucket.Define(bucket.Spec{ID: "pro", Description: "Users who pay.", Criteria: bucket.Text("plan").Is("pro")}))
}

// watcher keeps what is written and calls a function, once, when a text was.
type watcher struct {
	text string
	call func()

	mu   sync.Mutex
	all  bytes.Buffer
	once sync.Once
}

func (w *watcher) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all.Write(b)
	if strings.Contains(w.all.String(), w.text) {
		w.once.Do(w.call)
	}
	return len(b), nil
}

func (w *watcher) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.all.String()
}

// TestDev lets dev run until a handler was called, for an event that another process takes in.
func TestDev(t *testing.T) {
	t.Parallel()
	url, r := pgtest.NewEmptyURL(t), pro(t)
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	var welcomed string
	h := server.Host{Registry: r, Name: "shopd", Handlers: func(e *engine.Engine) error {
		return e.OnEnter(registrytest.Ref(t, r, "pro"), engine.EnterHandler{Name: "welcome", Func: func(_ context.Context, tr engine.Transition) error {
			welcomed = tr.UserID
			interrupt()
			return nil
		}})
	}}
	var group sync.WaitGroup
	defer group.Wait()
	var stderr bytes.Buffer
	stdout := &watcher{text: "running; interrupt to stop\n", call: func() {
		group.Go(func() { enter(t, url, r, "ada") })
	}}
	if code := server.Run(ctx, h, []string{"dev", "--database", url}, strings.NewReader(""), stdout, &stderr); code != 0 {
		t.Fatalf("exit code %d\n%s%s", code, stdout, &stderr)
	}
	if welcomed != "ada" {
		t.Errorf("the handler saw %q, want ada", welcomed)
	}
	want := "PostgreSQL given by its URL\n  psql '" + url + "'\n" +
		"applied 00001_init.sql\n" +
		"on its own: all work is done by this process and others like it\n" +
		"webhooks: no endpoints\n" +
		"deployment 1, of TIME\n" +
		"buckets:\n  pro                      Users who pay.\n" +
		"send events from another terminal:\n  export KEY=SECRET URL=http://ADDRESS\n" +
		"  curl -u $KEY: -H 'Content-Type: application/json' $URL/v1/track -d '{\"userId\":\"ada\",\"event\":\"signed up\"}'\n" +
		"  curl -u $KEY: $URL/v1/users/ada/timeline\n" +
		"open Studio, within a minute and once; later sign in with the key:\n  http://ADDRESS/studio/#once=ONCE\n" +
		"running; interrupt to stop\n"
	got := regexp.MustCompile(`of 20[0-9TZ:-]+`).ReplaceAllString(stdout.String(), "of TIME")
	got = regexp.MustCompile(`bg_admin_[A-Z0-9]+`).ReplaceAllString(got, "SECRET")
	got = regexp.MustCompile(`once=[A-Z0-9]+`).ReplaceAllString(got, "once=ONCE")
	got = regexp.MustCompile(`http://(127.0.0.1|\[::1\]):[0-9]+`).ReplaceAllString(got, "http://ADDRESS")
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestDevInJSON lets dev say in JSON that it runs, with all that a program needs to send events.
func TestDevInJSON(t *testing.T) {
	t.Parallel()
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	var stderr bytes.Buffer
	stdout := &watcher{text: "\n}\n", call: interrupt}
	h := server.Host{Registry: pro(t), Name: "shopd"}
	url := strings.Replace(pgtest.NewEmptyURL(t), "@", ":s3cret-word@", 1) + "&password=s3cret-word"
	if code := server.Run(ctx, h, []string{"dev", "--json", "--database", url}, strings.NewReader(""), stdout, &stderr); code != 0 {
		t.Fatalf("exit code %d\n%s%s", code, stdout, &stderr)
	}
	if strings.Contains(stdout.String()+stderr.String(), "s3cret") {
		t.Errorf("the password of the database is printed:\n%s%s", stdout, &stderr)
	}
	var got struct {
		URL, Key, Database string
		Applied            []string
		Deployment         struct{ No int }
	}
	if err := json.Unmarshal([]byte(stdout.String()), &got); err != nil {
		t.Fatalf("%v: %s", err, stdout)
	}
	if !strings.HasPrefix(got.URL, "http://") || !strings.HasPrefix(got.Key, "bg_admin_") || got.Database == "" || len(got.Applied) == 0 || got.Deployment.No != 1 {
		t.Errorf("it says %s", stdout)
	}
}

// enter lets a user join the bucket, by an engine of its own.
func enter(t *testing.T, url string, r *registry.Registry, user string) {
	t.Helper()
	e, err := engine.New(pgtest.Open(t, url), r, engine.Config{NoClock: true, NoDelivery: true})
	if err != nil {
		t.Error(err)
		return
	}
	if err := e.Start(context.Background()); err != nil {
		t.Error(err)
		return
	}
	if _, err := e.Ingest(context.Background(), engine.Event{UserID: user, Traits: map[string]any{"plan": "pro"}}); err != nil {
		t.Error(err)
	}
	if err := e.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}

// bystander is a service that notes what is done with it.
type bystander struct {
	name  string
	start error
	did   *[]string
}

func (b bystander) String() string { return b.name }

func (b bystander) Start(context.Context) error {
	*b.did = append(*b.did, "start "+b.name)
	return b.start
}

func (b bystander) Stop(context.Context) error {
	*b.did = append(*b.did, "stop "+b.name)
	return nil
}

func TestDevServices(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		second error // of the second service's start
		code   int
		did    []string
		says   string
	}{
		{"runs", nil, 0, []string{"start one", "start two", "stop two", "stop one"}, "one\ntwo\n"},
		{"fails", errors.New("no luck"), 2, []string{"start one", "start two", "stop one"}, "shopd: two: no luck\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			ctx, interrupt := context.WithCancel(t.Context())
			defer interrupt()
			var did []string
			h := server.Host{Registry: pro(t), Name: "shopd", Services: func(*engine.Engine) ([]server.Service, error) {
				return []server.Service{bystander{"one", nil, &did}, bystander{"two", tc.second, &did}}, nil
			}}
			out := &watcher{text: "running", call: interrupt}
			code := server.Run(ctx, h, []string{"dev", "--database", pgtest.NewURL(t)}, strings.NewReader(""), out, out)
			if diff := cmp.Diff(tc.did, did); code != tc.code || diff != "" {
				t.Errorf("exit code %d, want %d; -want +got\n%s", code, tc.code, diff)
			}
			if !strings.Contains(out.String(), tc.says) {
				t.Errorf("got\n%s\nwithout %q", out, tc.says)
			}
		})
	}
}

func TestDevWithoutHandlers(t *testing.T) {
	t.Parallel()
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	stdout := &watcher{text: "running", call: interrupt}
	if code := server.Run(ctx, server.Host{Registry: pro(t)}, []string{"dev", "--database", pgtest.NewURL(t)}, strings.NewReader(""), stdout, io.Discard); code != 0 {
		t.Fatalf("exit code %d\n%s", code, stdout)
	}
}

// TestDevHandlersFail sees that a host's own mistake ends dev.
func TestDevHandlersFail(t *testing.T) {
	t.Parallel()
	h := server.Host{Registry: pro(t), Name: "shopd", Handlers: func(e *engine.Engine) error {
		return e.OnEnter(registry.NewRef("gone", 0), engine.EnterHandler{Name: "welcome", Func: nil})
	}}
	var stderr bytes.Buffer
	code := server.Run(t.Context(), h, []string{"dev", "--database", pgtest.NewURL(t)}, strings.NewReader(""), io.Discard, &stderr)
	want := "shopd: handler \"welcome\": bucket \"gone\": the bucket is not in the registry of this engine\n"
	if code != 2 || stderr.String() != want {
		t.Errorf("exit code %d, %q; want 2, %q", code, &stderr, want)
	}
}

// TestAddressIsTakenFirst checks that a command does nothing if another process listens on its
// address.
func TestAddressIsTakenFirst(t *testing.T) {
	t.Parallel()
	var config net.ListenConfig
	other, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	address, url := other.Addr().String(), pgtest.NewEmptyURL(t)
	for _, args := range [][]string{{"dev", "--listen"}, {"serve", "--listen"}, {"serve", "--listen", "127.0.0.1:0", "--admin-listen"}} {
		var stderr bytes.Buffer
		code := server.Run(t.Context(), server.Host{Registry: pro(t), Name: "shopd"}, append(args, address, "--database", url), strings.NewReader(""), io.Discard, &stderr)
		want := "shopd: " + args[len(args)-1] + " " + address + ": listen tcp " + address + ": bind: address already in use; choose another address\n"
		if code != 2 || stderr.String() != want {
			t.Errorf("%v: exit code %d, %q; want 2, %q", args, code, &stderr, want)
		}
	}
	var schemas int
	if err := pgtest.Open(t, url).QueryRow(t.Context(), "select count(*) from pg_namespace where nspname = 'bucketgen'").Scan(&schemas); err != nil || schemas != 0 {
		t.Errorf("%d schemas were made, %v", schemas, err)
	}
}
