// Command hatchetdev runs a Hatchet server on an empty PostgreSQL database, or on one that it has
// run on before: it makes the tables, the keys, the tenant and a token, and then is the engine,
// which listens on 127.0.0.1 only. It is for tests and for developing, and a module of its own, so
// that nothing of the server reaches a host.
//
// When it is ready it writes one line of JSON to standard output, with the address and the token
// that a client needs. Hatchet's own output goes to standard error. The command ends when its
// standard input does, so that it does not outlive its parent process.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/google/uuid"
	"github.com/hatchet-dev/hatchet/cmd/hatchet-admin/cli/seed"
	"github.com/hatchet-dev/hatchet/cmd/hatchet-engine/engine"
	"github.com/hatchet-dev/hatchet/cmd/hatchet-migrate/migrate"
	"github.com/hatchet-dev/hatchet/pkg/config/loader"
	"github.com/hatchet-dev/hatchet/pkg/config/server"
	"github.com/jackc/pgx/v5"
)

// version is what the engine says it is. Clients go by it, and take one that was built without to
// be an old one.
const version = "v0.104.7"

func main() {
	database := flag.String("database", "", "`URL` of the database; one of its own, nothing else may be in it")
	address := flag.String("address", "127.0.0.1:7077", "`ADDRESS` that the engine listens on")
	keys := flag.String("keys", "hatchet-keys.json", "`FILE` of the keys, which is made if it is missing: tokens are good as long as the keys are the same")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	ready := os.Stdout
	os.Stdout = os.Stderr // migrations print
	err := run(ctx, *database, *address, *keys, ready)
	stop()
	if err != nil {
		log.Fatalf("hatchetdev: %v", err)
	}
}

func run(ctx context.Context, database, address, keys string, ready io.Writer) error {
	if err := configure(database, address, keys); err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, database)
	if err != nil {
		return err
	}
	defer conn.Close(context.Background())
	if err := prepare(ctx, conn); err != nil {
		return err
	}
	config := loader.NewConfigLoader("")
	token, err := newToken(ctx, config)
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- engine.Run(ctx, config, version) }()
	if err := await(ctx, conn, address, ended); err != nil {
		return err
	}
	if err := json.NewEncoder(ready).Encode(map[string]string{"address": address, "token": token}); err != nil {
		return err
	}
	return <-ended
}

// prepare makes the tables.
func prepare(ctx context.Context, conn *pgx.Conn) error {
	// With the plans that PostgreSQL makes for the parameters at hand, one of the engine's queries
	// becomes quadratic in the number of durable tasks that wait.
	_, err := conn.Exec(ctx, `do $$ begin execute format('alter database %I set plan_cache_mode = force_generic_plan', current_database()); end $$`)
	if err != nil {
		return fmt.Errorf("set how queries are planned: %w", err)
	}
	return migrate.RunMigrations(ctx)
}

// newToken makes the tenant, if there is none yet, and a token for it.
func newToken(ctx context.Context, config *loader.ConfigLoader) (token string, err error) {
	layer, err := config.InitDataLayer()
	if err != nil {
		return "", fmt.Errorf("open the database: %w", err)
	}
	err = seed.SeedDatabase(layer)
	tenant := layer.Seed.DefaultTenantID
	if err = errors.Join(err, layer.Disconnect()); err != nil {
		return "", fmt.Errorf("make the tenant: %w", err)
	}
	id, err := uuid.Parse(tenant)
	if err != nil {
		return "", fmt.Errorf("tenant %q: %w", tenant, err)
	}
	cleanup, s, err := config.CreateServerFromConfig(version, func(c *server.ServerConfigFile) { c.MessageQueue.Enabled = false })
	if err != nil {
		return "", fmt.Errorf("configure the server: %w", err)
	}
	defer func() { err = errors.Join(err, cleanup(), s.Disconnect()) }()
	expires := time.Now().AddDate(1, 0, 0)
	t, err := s.Auth.JWTManager.GenerateTenantToken(ctx, id, "hatchetdev", false, &expires)
	if err != nil {
		return "", fmt.Errorf("make a token: %w", err)
	}
	return t.Token, nil
}

// await waits until the engine listens and minds its tenant, or has ended.
func await(ctx context.Context, conn *pgx.Conn, address string, ended <-chan error) error {
	dialer := net.Dialer{Timeout: time.Second}
	for {
		select {
		case err := <-ended:
			return errors.Join(errors.New("the engine ended before it was ready"), err)
		case <-time.After(20 * time.Millisecond):
		}
		c, err := dialer.DialContext(ctx, "tcp", address)
		if err != nil {
			continue
		}
		_ = c.Close()
		// The engine assigns a new tenant to a controller only ten seconds after its start. Durable
		// sleeps do not work until then.
		adopted, err := conn.Exec(ctx, `update "Tenant" set "controllerPartitionId" =
			(select id from "ControllerPartition" order by "lastHeartbeat" desc nulls last limit 1)
			where exists (select from "ControllerPartition" where "lastHeartbeat" > now() at time zone 'utc' - interval '5 seconds')`)
		if err != nil {
			return fmt.Errorf("give the tenant a controller: %w", err)
		}
		if adopted.RowsAffected() > 0 {
			return nil
		}
	}
}
