package hatchet

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"time"

	v0 "github.com/hatchet-dev/hatchet/pkg/client"
	"github.com/hatchet-dev/hatchet/pkg/client/loader"
	config "github.com/hatchet-dev/hatchet/pkg/config/client"
	"github.com/hatchet-dev/hatchet/pkg/config/loader/loaderutils"
	sdk "github.com/hatchet-dev/hatchet/sdks/go"
	"github.com/rs/zerolog"
)

// client is a connection with Hatchet; in fact two, for one tries again by itself and the other
// does not.
type client struct {
	address string
	tls     *tls.Config // nil for none
	log     *zerolog.Logger
	tasks   *sdk.Client
	push    v0.Client // what cannot be pushed stays in the outbox, which knows when to try again
}

// newClient reads the variables of Hatchet's clients. The clients panic at what they do not like,
// and do not connect.
func newClient(log *slog.Logger) (c *client, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &settingError{"HATCHET_CLIENT_TOKEN", fmt.Sprintf("Hatchet's client refuses the settings: %v", r)}
		}
	}()
	file, settings, err := readSettings()
	if err != nil {
		return nil, err
	}
	l := newLogger(log)
	c = &client{address: settings.GRPCBroadcastAddress, tls: settings.TLSConfig, log: &l}
	if c.tasks, err = sdk.NewClient(v0.WithLogger(c.log)); err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	file.NoGrpcRetry = true
	if c.push, err = v0.NewFromConfigFile(file, v0.WithLogger(c.log)); err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	return c, nil
}

// readSettings reads the variables as the client will, to name the one that is wrong.
func readSettings() (*config.ClientConfigFile, *config.ClientConfig, error) {
	file, err := loader.LoadClientConfigFile()
	if err != nil {
		return nil, nil, fmt.Errorf("read the HATCHET_CLIENT_ variables: %w", err)
	}
	if file.Token == "" {
		return nil, nil, &settingError{"HATCHET_CLIENT_TOKEN", "it is not set; set it to an API token of the tenant"}
	}
	if file.HostPort != "" && !isAddress(file.HostPort) {
		return nil, nil, &settingError{"HATCHET_CLIENT_HOST_PORT", fmt.Sprintf("%q is no address; write it like hatchet.example:7077", file.HostPort)}
	}
	if _, err := loaderutils.GetConfFromJWT(file.Token); err != nil {
		return nil, nil, &settingError{"HATCHET_CLIENT_TOKEN", fmt.Sprintf("it is no API token of Hatchet: %v; copy a whole one", err)}
	}
	settings, err := loader.GetClientConfigFromConfigFile(nil, file)
	if err != nil {
		return nil, nil, &settingError{"HATCHET_CLIENT_TLS_STRATEGY", fmt.Sprintf("the settings of TLS cannot be used: %v", err)}
	}
	return file, settings, nil
}

func isAddress(text string) bool {
	_, port, err := net.SplitHostPort(text)
	if err != nil {
		return false
	}
	_, err = strconv.ParseUint(port, 10, 16)
	return err == nil
}

// work registers workflows and runs them. Hatchet's client takes no context for that: it gives up
// after a minute or two.
func (c *client) work(config Config, workflows []sdk.WorkflowBase) (stop func() error, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("register tasks: %v", r)
		}
	}()
	worker, err := c.tasks.NewWorker(config.Worker, sdk.WithWorkflows(workflows...), sdk.WithSlots(config.Slots),
		sdk.WithDurableSlots(config.DurableSlots), sdk.WithLogger(c.log))
	if err != nil {
		return nil, fmt.Errorf("register tasks: %w", err)
	}
	stop, err = worker.Start()
	if err != nil {
		return nil, fmt.Errorf("start the worker: %w", err)
	}
	return stop, nil
}

// mostEvents is how many events are pushed by one call: runs are made within it, and more at once
// are not made faster.
const mostEvents = 100

// patience is how long a call may take. A hundred events take a second, and ten when the server is
// busy.
const patience = 30 * time.Second

// pushAll pushes events, all of them or an error.
func (c *client) pushAll(ctx context.Context, events []v0.EventWithAdditionalMetadata) error {
	for len(events) > 0 {
		n := min(len(events), mostEvents)
		if err := c.bulk(ctx, events[:n]); err != nil {
			return err
		}
		events = events[n:]
	}
	return nil
}

func (c *client) bulk(ctx context.Context, events []v0.EventWithAdditionalMetadata) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := c.push.Event().BulkPush(ctx, events); err != nil {
		return fmt.Errorf("push %d events to Hatchet at %s: %w", len(events), c.address, err)
	}
	return nil
}

// settingError says which variable is wrong, and what to do.
type settingError struct{ variable, problem string }

func (e *settingError) Error() string { return e.variable + ": " + e.problem }

// awayError says that the server could not be reached.
type awayError struct{ err error }

func (e *awayError) Error() string { return e.err.Error() }
func (e *awayError) Unwrap() error { return e.err }

// away reports whether an error may pass by itself.
func away(err error) bool {
	var a *awayError
	return errors.As(err, &a)
}
