package webhook

import (
	"cmp"
	"fmt"
	"log/slog"
	"time"

	"github.com/bucketgen/bucketgen/internal/store"
)

// Config configures endpoints and what posts to them. The zero value is a good one.
type Config struct {
	// AllowPrivate lets webhooks go to this machine and to private networks, too. Defaults to
	// false: a program that may create endpoints could reach what only this machine should.
	AllowPrivate bool

	// Attempts is how many of the latest attempts to post are kept of each endpoint, see
	// [Endpoints.Attempts]. Negative: none are. Defaults to 100.
	Attempts int

	// Logger takes what happens in the background. Defaults to slog.Default.
	Logger *slog.Logger

	// MaxAttempts is how often a webhook is tried before it is given up. Defaults to 68, which
	// takes about three days.
	MaxAttempts int

	// Now is the clock of [Endpoints]; a [Service] goes by its engine's. Defaults to time.Now.
	Now func() time.Time

	// Poll is how often the database is asked which endpoints there are. Defaults to 1 s.
	Poll time.Duration

	// Schema is the schema of the tables, which is the engine's. Defaults to bucketgen.
	Schema string

	// Timeout is how long an endpoint may take to answer. Defaults to 15 s.
	Timeout time.Duration
}

func (c Config) withDefaults() Config {
	c.Attempts = cmp.Or(c.Attempts, 100)
	c.MaxAttempts = cmp.Or(c.MaxAttempts, 68)
	c.Poll = cmp.Or(c.Poll, time.Second)
	c.Schema = cmp.Or(c.Schema, store.DefaultSchema)
	c.Timeout = cmp.Or(c.Timeout, 15*time.Second)
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

func (c Config) validate() error {
	for _, f := range []struct {
		name  string
		value int64
	}{
		{"MaxAttempts", int64(c.MaxAttempts)},
		{"Poll", int64(c.Poll)},
		{"Timeout", int64(c.Timeout)},
	} {
		if f.value < 0 {
			return fmt.Errorf("webhook.Config.%s is %d; it must be positive, or zero for the default", f.name, f.value)
		}
	}
	if c.Schema != "" {
		if err := store.CheckSchema(c.Schema); err != nil {
			return fmt.Errorf("webhook.Config.Schema: %w", err)
		}
	}
	return nil
}
