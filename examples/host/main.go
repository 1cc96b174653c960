// Command host is a web program that mounts bucketgen's API and Studio in its own mux, behind its
// own sign-in.
//
//	DATABASE_URL=postgres://localhost/shop PASSWORD=secret go run ./examples/host
//
// Open http://127.0.0.1:8090/ and sign in as ada, who may change things, or as sam of the support,
// from whom personal data are masked.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/identity"
	"github.com/bucketgen/bucketgen/engine/migrate"
	"github.com/bucketgen/bucketgen/engine/server"
	"github.com/bucketgen/bucketgen/engine/studio"
	"github.com/bucketgen/bucketgen/gen"
)

// staff are the people who may sign in.
var staff = map[string]identity.Person{
	"ada": {Name: "ada", Role: identity.Admin},
	"sam": {Name: "sam", Role: identity.Read, Masked: true, Show: []string{"plan"}},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:8090")
	if err == nil {
		err = run(ctx, os.Getenv("DATABASE_URL"), os.Getenv("PASSWORD"), listener)
	}
	if err != nil {
		log.Fatal(err) //nolint:gocritic // nothing is open
	}
}

// run serves the site until ctx ends.
func run(ctx context.Context, database, password string, listener net.Listener) error {
	if password == "" {
		return errors.New("PASSWORD is empty; set the password by which people sign in")
	}
	pool, err := pgxpool.New(ctx, database)
	if err != nil {
		return fmt.Errorf("DATABASE_URL: %w", err)
	}
	defer pool.Close()
	if _, err := migrate.Up(ctx, pool, migrate.Options{}); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	eng, err := engine.New(pool, gen.Registry, engine.Config{})
	if err != nil {
		return fmt.Errorf("make the engine: %w", err)
	}
	if err := eng.Start(ctx); err != nil {
		return fmt.Errorf("start the engine: %w", err)
	}
	site, err := newSite(eng, pool, newSessions(password))
	if err == nil {
		err = serve(ctx, listener, site)
	}
	stopping, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return errors.Join(err, eng.Stop(stopping))
}

// newSite returns the host's mux: its own page, and bucketgen's beside it.
func newSite(eng *engine.Engine, pool *pgxpool.Pool, s *sessions) (http.Handler, error) {
	api := server.NewHandler(eng, pool, "bucketgen", server.HTTP{Authenticate: s.authenticate}, nil)
	page, err := studio.New(api, studio.Config{Authenticate: s.authenticate})
	if err != nil {
		return nil, fmt.Errorf("make Studio: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.home)
	mux.HandleFunc("POST /login", s.signIn)
	mux.Handle("/studio/", page)
	mux.Handle("/v1/", api)
	return http.NewCrossOriginProtection().Handler(mux), nil
}

// serve serves a handler until ctx ends.
func serve(ctx context.Context, listener net.Listener, h http.Handler) error {
	s := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
	stop := context.AfterFunc(ctx, func() {
		stopping, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = s.Shutdown(stopping) // what is still open ends with the program
	})
	defer stop()
	if err := s.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}
