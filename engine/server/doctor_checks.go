package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/webhook"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/printable"
	"github.com/bucketgen/bucketgen/internal/store"
)

func (x *examination) connect(ctx context.Context, log io.Writer) finding {
	const fix = "start the server, or correct the URL"
	var err error
	if x.database, err = x.open(ctx, log); err != nil {
		return failed(fix, "%v", err)
	}
	facts, err := x.facts(ctx)
	if err != nil {
		return failed(fix, "%v", err)
	}
	err = store.CheckServer(facts.Version, facts.VersionText)
	switch {
	case err != nil:
		return failed("update the server", "%v", err)
	case facts.Standby:
		return failed("use the URL of the primary", "PostgreSQL %s is a standby, which refuses writes", facts.VersionText)
	}
	return fine("PostgreSQL %s, %s", facts.VersionText, x.database.server.Origin)
}

// serverFacts are what the server says of itself.
type serverFacts struct {
	db.ServerFactsRow

	apart time.Duration // apart is by how much the clocks of this machine and the server differ
	took  time.Duration // took is how long the answer took, by which apart may be wrong
}

// facts returns what the server says of itself. The checks of an examination share one answer.
func (x *examination) facts(ctx context.Context) (*serverFacts, error) {
	if x.server != nil {
		return x.server, nil
	}
	before := time.Now()
	row, err := store.QueriesIn(x.database.pool, x.schema).ServerFacts(ctx)
	if err != nil {
		return nil, err
	}
	took := time.Since(before)
	x.server = &serverFacts{row, before.Add(took / 2).Sub(row.Now.Time).Abs(), took}
	return x.server, nil
}

// reached checks the database of a running engine.
func (x *examination) reached(ctx context.Context) finding {
	facts, err := x.facts(ctx)
	if err != nil {
		return failed("start the server, or correct the URL", "%v", err)
	}
	return fine("PostgreSQL %s", facts.VersionText)
}

// accepted checks whether a running engine can write.
func (x *examination) accepted(ctx context.Context) finding {
	var unready *engine.UnreadyError
	switch err := x.engine.Ready(ctx); {
	case errors.As(err, &unready):
		return failed("check the log of this process and of the database", "events are not accepted: %s", unready.Reason)
	case err != nil:
		return failed("", "%v", err)
	}
	return fine("events are accepted and written")
}

// background checks what the engine does in the background.
func (x *examination) background(context.Context) finding {
	b := x.engine.Inspect().Background()
	if len(b.Failing) == 0 {
		return fine("%s in the background", verbed(int64(b.Loops), "loop", "loops"))
	}
	failing := make([]string, len(b.Failing))
	for i, l := range b.Failing {
		failing[i] = fmt.Sprintf("%s since %s (%s)", l.Component, l.Since.UTC().Format(time.RFC3339), l.Reason)
	}
	return failed("check the log of this process for these components", "%d of %d loops in the background fail and are retried: %s", len(failing), b.Loops, some(failing, ", "))
}

// durability checks that acknowledged events survive a crash.
func (x *examination) durability(ctx context.Context) finding {
	facts, err := x.facts(ctx)
	const fix = "set %s to on, unless losing data is acceptable"
	switch {
	case err != nil:
		return failed("", "%v", err)
	case !facts.Fsync:
		return warning(fmt.Sprintf(fix, "fsync"), "fsync is off: a crash can destroy the database")
	case !facts.Synchronous:
		return warning(fmt.Sprintf(fix, "synchronous_commit"), "synchronous_commit is off: a crash loses the events acknowledged last")
	}
	return fine("acknowledged events survive a crash")
}

// clocks compares the clock of this machine with that of the database: all processes should agree
// on the time.
func (x *examination) clocks(ctx context.Context) finding {
	facts, err := x.facts(ctx)
	if err != nil {
		return failed("", "%v", err)
	}
	apart, took := facts.apart, facts.took
	const fix = "synchronise both clocks by NTP"
	switch skew := max(x.host.Config.Skew, 0); {
	case skew == 0 && apart > 5*time.Minute || skew > 0 && apart > skew:
		return failed(fix, "the clocks of this machine and the database are %s apart: events of one are in the future of the other", apart.Round(time.Millisecond))
	case apart > time.Second+took:
		return warning(fix, "the clocks of this machine and the database are %s apart", apart.Round(time.Millisecond))
	}
	return fine("the clocks of this machine and the database agree to within a second")
}

func (x *examination) tables(ctx context.Context) finding {
	version, err := store.CheckVersion(ctx, x.database.pool, x.schema)
	var outdated *store.OutdatedError
	switch {
	case errors.As(err, &outdated):
		return failed(x.host.Name+" migrate", "%v", err)
	case store.HasCode(err, "42501"): // insufficient privilege
		return failed(x.grants(), "%v", err)
	case err != nil:
		return failed("", "%v", err) // which says what to do
	case version > store.Version:
		return warning("update this program",
			"schema %s is at version %d; this program knows versions up to %d", x.schema, version, store.Version)
	}
	return fine("schema %s, version %d", x.schema, version)
}

// writes checks whether the role can write the tables, and starts the engine for the checks that
// follow.
func (x *examination) writes(ctx context.Context) finding {
	q := store.QueriesIn(x.database.pool, x.schema)
	writable, err := q.ServerWritable(ctx)
	if err != nil {
		return failed("", "%v", err)
	}
	if writable.ReadOnly {
		return failed("reset default_transaction_read_only of the database and of the role", "transactions are read-only")
	}
	missing, err := q.PrivilegesMissing(ctx)
	if err != nil {
		return failed("", "%v", err)
	}
	if len(missing) > 0 {
		return failed(x.grants(), "role %s lacks %s", x.role(), some(missing, ", "))
	}
	x.engine, err = x.cli.engine(x.database, func(c *engine.Config) { c.NoClock, c.NoDelivery, c.NoDeploy, c.NoJobs = true, true, true, true })
	if err != nil {
		return failed("", "%v", err)
	}
	if err := x.engine.Start(ctx); err != nil {
		x.engine = nil
		return failed("", "%v", err)
	}
	return fine("role %s can write all tables", x.role())
}

func (x *examination) role() string { return x.database.pool.Config().ConnConfig.User }

// grants returns the statements that grant the role the privileges that the engine needs.
func (x *examination) grants() string {
	schema, role := pgx.Identifier{x.schema}.Sanitize(), pgx.Identifier{x.role()}.Sanitize()
	return fmt.Sprintf("GRANT USAGE ON SCHEMA %[1]s TO %[2]s; "+
		"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %[1]s TO %[2]s; "+
		"GRANT USAGE ON ALL SEQUENCES IN SCHEMA %[1]s TO %[2]s", schema, role)
}

// deployment compares what is deployed with what this program has.
func (x *examination) deployment(ctx context.Context) finding {
	all, _, err := x.engine.Deployments().ListPage(ctx, engine.Page{Size: 1})
	switch {
	case err != nil:
		return failed("", "%v", err)
	case len(all) == 0:
		return warning(x.host.Name+" deploy", "nothing is deployed: no bucket is active")
	}
	d, mine := &all[0], x.host.Registry.Tables().Fingerprint
	switch {
	case d.Fingerprint != mine:
		return warning(fmt.Sprintf("check the changes with %s plan, then run %s deploy", x.host.Name, x.host.Name),
			"deployed is %s, this program has %s: it skips buckets that differ", d.Fingerprint, mine)
	case !d.Finished():
		return warning(x.host.Name+" backfill, or wait for running processes",
			"deployment %[3]d is backfilled for %[1]d of %[2]d users", min(d.Followed, d.Users), d.Users, d.No)
	}
	return fine("deployment %d of %s has the definitions of this program", d.No, d.At.Format(time.RFC3339))
}

// The catalog is silent about a declared name that has not arrived until this long after the first
// event that was counted, unless another name may stand for it, and about a wrong type that has not
// arrived for this long.
const (
	driftGrace  = 24 * time.Hour
	driftRecent = 7 * 24 * time.Hour
)

// catalog reports names and types that arrive otherwise than they are declared.
func (x *examination) catalog(ctx context.Context) finding {
	c, err := x.engine.Catalog(ctx)
	if err != nil {
		return failed("", "%v", err)
	}
	if c.Since.IsZero() {
		return fine("no event was received yet")
	}
	now := x.engine.Now()
	var wrong, unseen []string
	for i := range c.Drift {
		switch d := &c.Drift[i]; {
		case d.Kind == engine.DriftUnseen && len(d.Near) == 0 && now.Sub(c.Since) < driftGrace:
			unseen = append(unseen, d.String())
		case d.Last.IsZero() || now.Sub(d.Last) < driftRecent:
			wrong = append(wrong, d.Says)
		}
	}
	switch {
	case len(wrong) > 0:
		return warning(fmt.Sprintf("correct the definitions or the sender; see %s catalog --drift", x.host.Name), "%s", some(wrong, "; "))
	case len(unseen) > 0:
		return fine("received names and types match the declared ones; not received yet: %s", some(unseen, ", "))
	}
	return fine("received names and types match the declared ones")
}

// some lists the first of several things.
func some(all []string, between string) string {
	const most = 5
	text := strings.Join(all[:min(most, len(all))], between)
	if more := len(all) - most; more > 0 {
		text += fmt.Sprintf("%sand %d more", between, more)
	}
	return text
}

func (x *examination) processes(ctx context.Context) finding {
	all, err := x.engine.Deployments().Processes(ctx)
	if err != nil {
		return failed("", "%v", err)
	}
	host, err := os.Hostname()
	if err != nil {
		return failed("", "%v", err)
	}
	others, differ := 0, 0
	var apart []string
	for _, p := range all {
		if ahead := time.Duration(p.ClockAheadMs) * time.Millisecond; ahead.Abs() > time.Second {
			apart = append(apart, fmt.Sprintf("%s (pid %d) by %s", p.Host, p.PID, ahead))
		}
		switch {
		case p.PID == os.Getpid() && p.Host == host: // the doctor itself
		case p.Deployed:
			others++
		default:
			differ++
		}
	}
	switch {
	case differ > 0:
		return warning("restart them with the deployed definitions", "%s with definitions that differ from the deployed ones", verbed(int64(differ), "process", "processes"))
	case others < 1:
		return warning(x.host.Name+" serve, or start a program that has the engine", "no engine runs: no clock, no deliveries")
	case len(apart) > 0:
		return warning("synchronise these clocks by NTP", "clocks differ from the database's (negative: behind): %s", strings.Join(apart, ", "))
	}
	return fine("%s on the database", verbed(int64(others), "process", "processes"))
}

// verbed says how many of something run.
func verbed(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one + " runs"
	}
	return fmt.Sprintf("%d %s run", n, many)
}

func (x *examination) clock(ctx context.Context) finding {
	lag, err := x.engine.Clock().Overdue(ctx)
	switch {
	case err != nil:
		return failed("", "%v", err)
	case lag > late:
		return warning("start a process with the deployed definitions; if one runs, check its log", "due work has been waiting for %s", lag.Round(time.Second))
	}
	return fine("nothing is overdue by more than %s", late)
}

func (x *examination) outbox(ctx context.Context) finding {
	all, err := x.engine.Outbox().Backlogs(ctx)
	if err != nil {
		return failed("", "%v", err)
	}
	var dead, waiting int64
	var slow []string
	for _, b := range all {
		dead += b.Dead
		waiting += b.Waiting
		if !b.Oldest.IsZero() && x.engine.Now().Sub(b.Oldest) > late {
			slow = append(slow, fmt.Sprintf("%q since %s", b.Subscription, b.Oldest.Format(time.RFC3339)))
		}
	}
	switch {
	case len(slow) > 0:
		return warning("start a process with these handlers or endpoints, or unsubscribe the obsolete ones", "deliveries are waiting for %s", strings.Join(slow, ", "))
	case dead > 0:
		return warning("read the errors of the dead letters, fix the cause, and replay them", "%s given up", deliveries(dead))
	}
	return fine("%s", deliveries(waiting)+" waiting")
}

// webhooks reports disabled endpoints: their transitions wait, perhaps unnoticed.
func (x *examination) webhooks(ctx context.Context) finding {
	endpoints, err := webhook.Open(x.database.pool, webhook.Config{Schema: x.schema})
	if err != nil {
		return failed("", "%v", err)
	}
	all, err := endpoints.List(ctx)
	if err != nil {
		return failed("", "%v", err)
	}
	var disabled []string
	for _, e := range all {
		if !e.DisabledAt.IsZero() {
			disabled = append(disabled, fmt.Sprintf("%q (%s)", e.Name, printable.Text(e.DisabledReason)))
		}
	}
	if len(disabled) > 0 {
		return warning(fmt.Sprintf("%s webhooks enable NAME, or delete NAME", x.host.Name), "transitions wait for disabled endpoints: %s", strings.Join(disabled, ", "))
	}
	return fine("%s", count(int64(len(all)), "endpoint")+", none disabled")
}

func deliveries(n int64) string {
	if n == 1 {
		return "1 delivery is"
	}
	return fmt.Sprintf("%d deliveries are", n)
}

// checker is a service that can check its own dependencies.
type checker interface {
	Check(ctx context.Context) error
}

func (x *examination) services(ctx context.Context) finding {
	e, err := x.cli.engine(x.database, nil)
	if err != nil {
		return failed("", "%v", err)
	}
	all, err := x.cli.services(e)
	if err != nil {
		return failed("correct the host's configuration", "%v", err)
	}
	for _, s := range all {
		if c, can := s.(checker); can {
			if err := c.Check(ctx); err != nil {
				return failed("start the service, or correct the setting in the error", "%s: %v", s, err)
			}
		}
	}
	return fine("%s", all)
}
