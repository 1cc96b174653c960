package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/server"
	"github.com/bucketgen/bucketgen/internal/apikey"
	"github.com/bucketgen/bucketgen/internal/picture"
	"github.com/bucketgen/bucketgen/internal/postgres"
	"github.com/bucketgen/bucketgen/internal/registrytest"
)

// parts are the columns of the sequence diagram.
var parts = []string{"SDK", "HTTP API", "engine", "PostgreSQL", "handler"}

// call is an arrow of the diagram.
type call struct {
	at       time.Time
	from, to int
	text     string
}

// wire records what the connections of an engine say to the server and what comes back.
type wire struct {
	mu    sync.Mutex
	about string // what is only said about the event that is followed
	conn  *tapped
	calls []call
}

// tapped is a connection of which a wire hears.
type tapped struct {
	net.Conn
	wire  *wire
	asked bool
}

func (c *tapped) Write(b []byte) (int, error) {
	c.wire.mu.Lock()
	if c.wire.conn == nil && c.wire.about != "" && strings.Contains(string(b), c.wire.about) {
		c.wire.conn = c
	}
	if c.wire.conn == c && !c.asked {
		c.asked = true
		c.wire.calls = append(c.wire.calls, call{at: time.Now(), from: 2, to: 3})
	}
	c.wire.mu.Unlock()
	return c.Conn.Write(b)
}

func (c *tapped) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.wire.mu.Lock()
	defer c.wire.mu.Unlock()
	if c.wire.conn == c && c.asked && n > 0 {
		c.asked = false
		c.wire.calls = append(c.wire.calls, call{at: time.Now(), from: 3, to: 2})
	}
	return n, err
}

// lifeOfAnEvent sends an event by HTTP by which a user joins, and draws who called whom, and when.
func lifeOfAnEvent(ctx context.Context, db *postgres.Server) (svg []byte, err error) {
	pool, drop, err := database(ctx, db, "life")
	if err != nil {
		return nil, err
	}
	defer drop()
	w := &wire{}
	config := pool.Config()
	config.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		var d net.Dialer
		c, err := d.DialContext(ctx, network, address)
		return &tapped{Conn: c, wire: w}, err
	}
	if pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return nil, err
	}
	defer pool.Close()
	registry, err := registrytest.Of(bucket.Define(bucket.Spec{ID: "buyers", Criteria: bucket.Event("order").Exists()}))
	if err != nil {
		return nil, err
	}
	e, err := engine.New(pool, registry, engine.Config{NoClock: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	handled := make(chan time.Time, 2)
	ref, _ := registry.Ref("buyers")
	err = e.OnEnter(ref, engine.EnterHandler{Name: "picture", Func: func(context.Context, engine.Transition) error {
		handled <- time.Now()
		return nil
	}})
	if err == nil {
		err = e.Start(ctx)
	}
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, e.Stop(ctx)) }()
	calls, err := w.follow(ctx, e, pool, handled)
	if err != nil {
		return nil, err
	}
	return drawCalls(calls), nil
}

// follow sends an event of a first user, so that everything is warm, and then the one of which it
// returns the calls.
func (w *wire) follow(ctx context.Context, e *engine.Engine, pool *pgxpool.Pool, handled <-chan time.Time) ([]call, error) {
	key, err := apikey.Store{Pool: pool, Schema: "bucketgen"}.Create(ctx, "picture", apikey.Write, 0)
	if err != nil {
		return nil, err
	}
	var listen net.ListenConfig
	l, err := listen.Listen(ctx, "tcp", "localhost:0")
	if err != nil {
		return nil, err
	}
	api := &http.Server{Handler: server.NewHandler(e, pool, "bucketgen", server.HTTP{}, slog.New(slog.DiscardHandler)), ReadHeaderTimeout: time.Minute}
	go func() { _ = api.Serve(l) }()
	defer api.Close()
	url := "http://" + l.Addr().String() + "/v1/track"
	for range 3 { // statements are prepared then, and plans kept
		if err := track(ctx, url, key.Secret, fmt.Sprint("warm-", time.Now().UnixNano())); err != nil {
			return nil, err
		}
		<-handled
	}
	w.mu.Lock()
	w.about = "ada-lovelace"
	w.mu.Unlock()
	sent := time.Now()
	if err := track(ctx, url, key.Secret, "ada-lovelace"); err != nil {
		return nil, err
	}
	answered, called := time.Now(), <-handled
	w.mu.Lock()
	defer w.mu.Unlock()
	calls := slices.DeleteFunc(slices.Clone(w.calls), func(c call) bool { return c.at.After(answered) })
	if len(calls) < 4 {
		return nil, fmt.Errorf("got %d messages of the transaction, want two round trips", len(calls))
	}
	for i, text := range []string{"lock the user, load facts", "facts", "write everything, COMMIT", "committed"} {
		calls[i].text = text
	}
	calls = append([]call{{sent, 0, 1, "POST /v1/track"}, {sent, 1, 2, "event, in a batch"}}, calls[:4]...)
	return append(calls, call{calls[5].at, 2, 1, "result"}, call{answered, 1, 0, "200"}, call{called, 2, 4, "transition"}), nil
}

func track(ctx context.Context, url, key, user string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(`{"userId":"`+user+`","event":"order"}`))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.SetBasicAuth(key, "")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if body, err := io.ReadAll(answer.Body); err != nil || answer.StatusCode != http.StatusOK {
		return fmt.Errorf("track: %s %s %w", answer.Status, body, err)
	}
	return nil
}

// drawCalls draws a sequence diagram, with the time since the first call.
func drawCalls(calls []call) []byte {
	const left, step, top, row = 80, 185, 50, 44
	height := top + row*(len(calls)+1)
	p := picture.New(left+step*(len(parts)-1)+140, height+20)
	for i, name := range parts {
		x := left + step*i
		p.Line("faint", x, top, x, height)
		p.Box("box", x-60, 14, 120, 32)
		p.Text("strong", "middle", x, 35, name)
	}
	for i, c := range calls {
		from, to, y := left+step*c.from, left+step*c.to, top+row*(i+1)
		p.Arrow(from, y, to, y)
		p.Text("", "middle", (from+to)/2, y-7, c.text)
		p.Text("small", "end", left+step*(len(parts)-1)+130, y+4, fmt.Sprintf("%.1f ms", float64(c.at.Sub(calls[0].at).Microseconds())/1000))
	}
	p.Text("small", "start", 10, height+12, "Recorded from a run: the messages on the connection of the transaction, and the call of the handler.")
	return p.SVG("Sequence diagram of an event: SDK, HTTP API, engine, PostgreSQL in two round trips, and the handler after the commit")
}
