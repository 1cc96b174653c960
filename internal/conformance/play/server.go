package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/engine/migrate"
	"github.com/bucketgen/bucketgen/internal/postgres"
)

// server is a PostgreSQL with a database in which the tables are made already, of which every
// scenario gets a copy.
type server struct {
	*postgres.Server
	template string
}

func startServer(ctx context.Context) (*server, error) {
	found, err := postgres.Start(ctx, postgres.Options{URL: os.Getenv("TEST_DATABASE_URL")})
	if err != nil {
		return nil, err
	}
	s := &server{found, name()}
	if err := s.prepare(ctx); err != nil {
		return nil, errors.Join(err, s.stop())
	}
	return s, nil
}

func (s *server) prepare(ctx context.Context) error {
	if err := s.admin(ctx, "create database "+s.template); err != nil {
		return err
	}
	pool, err := pgxpool.New(ctx, s.Database(s.template))
	if err != nil {
		return err
	}
	defer pool.Close()
	_, err = migrate.Up(ctx, pool, migrate.Options{})
	return err
}

func name() string { return "conformance_" + strings.ToLower(rand.Text()) }

// database returns a pool on a database of its own, and what drops that.
func (s *server) database(ctx context.Context) (*pgxpool.Pool, func(), error) {
	name := name()
	if err := s.admin(ctx, "create database "+name+" template "+s.template); err != nil {
		return nil, nil, err
	}
	drop := func() {
		if err := s.admin(context.WithoutCancel(ctx), "drop database if exists "+name+" with (force)"); err != nil {
			fmt.Fprintln(os.Stderr, "drop a database:", err)
		}
	}
	pool, err := pgxpool.New(ctx, s.Database(name))
	if err != nil {
		drop()
		return nil, nil, err
	}
	return pool, func() { pool.Close(); drop() }, nil
}

// stop removes everything, also on a server that is not its own.
func (s *server) stop() error {
	ctx := context.Background()
	return errors.Join(s.admin(ctx, "drop database if exists "+s.template+" with (force)"), s.Stop())
}

func (s *server) admin(ctx context.Context, sql string) error {
	conn, err := pgx.Connect(ctx, s.URL)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, sql)
	return err
}
