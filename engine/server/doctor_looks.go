package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/webhook"
	"github.com/bucketgen/bucketgen/internal/printable"
	"github.com/bucketgen/bucketgen/internal/store"
)

const oldest = 150000 // of the versions of PostgreSQL that will do

func (x *examination) connect(ctx context.Context, log io.Writer) finding {
	const mend = "start it, or mend the URL"
	var err error
	if x.database, err = x.open(ctx, log); err != nil {
		return failed(mend, "%v", err)
	}
	facts, err := store.QueriesIn(x.database.pool, x.schema).ServerFacts(ctx)
	switch {
	case err != nil:
		return failed(mend, "%v", err)
	case facts.Version < oldest:
		return failed("update it to PostgreSQL 15 or later", "PostgreSQL %s is too old", facts.VersionText)
	case facts.Standby:
		return failed("use the URL of the primary", "PostgreSQL %s is a standby, which nobody can write to", facts.VersionText)
	}
	return fine("PostgreSQL %s, %s", facts.VersionText, x.database.server.Origin)
}

// durability looks whether what was acknowledged survives a crash.
func (x *examination) durability(ctx context.Context) finding {
	facts, err := store.QueriesIn(x.database.pool, x.schema).ServerFacts(ctx)
	const mend = "set %s to on, unless the data may be lost"
	switch {
	case err != nil:
		return failed("", "%v", err)
	case !facts.Fsync:
		return warning(fmt.Sprintf(mend, "fsync"), "fsync is off: a crash can destroy the database")
	case !facts.Synchronous:
		return warning(fmt.Sprintf(mend, "synchronous_commit"), "synchronous_commit is off: a crash loses what was acknowledged last")
	}
	return fine("what is acknowledged survives a crash")
}

// clocks compares the clock of this machine with that of the database: all processes should agree on the time.
func (x *examination) clocks(ctx context.Context) finding {
	before := time.Now()
	facts, err := store.QueriesIn(x.database.pool, x.schema).ServerFacts(ctx)
	if err != nil {
		return failed("", "%v", err)
	}
	took := time.Since(before)
	apart := before.Add(took / 2).Sub(facts.Now.Time).Abs()
	const mend = "let both machines set their clocks by NTP"
	switch skew := max(x.host.Config.Skew, 0); {
	case skew == 0 && apart > 5*time.Minute || skew > 0 && apart > skew:
		return failed(mend, "this machine and the database are %s apart: events from one are in the future of the other", apart.Round(time.Millisecond))
	case apart > time.Second+took:
		return warning(mend, "this machine and the database are %s apart", apart.Round(time.Millisecond))
	}
	return fine("this machine and the database agree to within a second")
}

func (x *examination) tables(ctx context.Context) finding {
	version, err := store.CheckVersion(ctx, x.database.pool, x.schema)
	if _, outdated := errors.AsType[*store.OutdatedError](err); outdated {
		return failed(x.host.Name+" migrate", "%v", err)
	}
	if err != nil {
		return failed("", "%v", err) // which says what to do
	}
	e, err := x.cli.engine(x.database, func(c *engine.Config) { c.NoClock, c.NoDelivery, c.NoDeploy, c.NoJobs = true, true, true, true })
	if err == nil {
		err = e.Start(ctx)
	}
	if err != nil {
		return failed("", "%v", err)
	}
	x.engine = e
	if version > store.Version {
		return warning("replace this program by the one that has made them so",
			"in schema %s, at version %d, and this program knows what they are up to %d", x.schema, version, store.Version)
	}
	return fine("in schema %s, at version %d", x.schema, version)
}

// deployment compares what is deployed with what this program has.
func (x *examination) deployment(ctx context.Context) finding {
	all, err := x.engine.Deployments(ctx, 1)
	switch {
	case err != nil:
		return failed("", "%v", err)
	case len(all) == 0:
		return warning(x.host.Name+" deploy", "nothing was ever deployed: no bucket does anything")
	}
	d, mine := &all[0], x.host.Registry.Fingerprint
	switch {
	case d.Fingerprint != mine:
		return warning(fmt.Sprintf("see what it would do by %s plan, then %s deploy", x.host.Name, x.host.Name),
			"deployed is %s, and this program has %s: it leaves buckets alone that differ", d.Fingerprint, mine)
	case !d.Finished():
		return warning(x.host.Name+" backfill, or let processes that run go on",
			"%d of %d users have followed deployment %d", min(d.Followed, d.Users), d.Users, d.No)
	}
	return fine("deployment %d, of %s, is what this program has", d.No, d.At.Format(time.RFC3339))
}

// The catalog is silent about a declared name that has not arrived until this long after the first event that was counted, unless
// another name may stand for it, and about a wrong type that has not arrived for this long.
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
		return fine("no event was counted yet")
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
		return warning(fmt.Sprintf("correct the definitions or what is sent; see %s catalog --drift", x.host.Name), "%s", some(wrong, "; "))
	case len(unseen) > 0:
		return fine("what arrives is declared alike; not arrived yet: %s", some(unseen, ", "))
	}
	return fine("what arrives is declared alike")
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
	all, err := x.engine.Processes(ctx)
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
		return warning("restart them with what is deployed", "%s on the database has other definitions than those that are deployed", verbed(int64(differ), "process", "processes"))
	case others < 1:
		return warning(x.host.Name+" serve, or start a program that has the engine", "no process runs: nobody keeps the clock, and nothing is delivered")
	case len(apart) > 0:
		return warning("let these machines set their clocks by NTP", "clocks are ahead of the database's (negative: behind): %s", strings.Join(apart, ", "))
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
	lag, err := x.engine.Overdue(ctx)
	switch {
	case err != nil:
		return failed("", "%v", err)
	case lag > late:
		return warning("let a process run that has what is deployed; if one does, its log says what keeps it", "what is due has been waiting for %s", lag.Round(time.Second))
	}
	return fine("nothing is overdue by more than %s", late)
}

func (x *examination) outbox(ctx context.Context) finding {
	all, err := x.engine.Backlogs(ctx)
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
		return warning("let a process run that has these handlers or endpoints, or unsubscribe those that are gone", "deliveries wait for %s", strings.Join(slow, ", "))
	case dead > 0:
		return warning("see why in the dead letters, and replay them once it is mended", "%s given up", deliveries(dead))
	}
	return fine("%s", deliveries(waiting)+" to be made")
}

// webhooks looks for endpoints that are disabled: transitions wait for them, and nobody may know.
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
		return warning(fmt.Sprintf("%s webhooks enable NAME, or delete NAME", x.host.Name), "transitions wait for endpoints that are disabled: %s", strings.Join(disabled, ", "))
	}
	return fine("%s", count(int64(len(all)), "endpoint")+", none disabled")
}

func deliveries(n int64) string {
	if n == 1 {
		return "1 delivery is"
	}
	return fmt.Sprintf("%d deliveries are", n)
}

// checker is a service that can say whether what it works with is there.
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
		return failed("mend the host's configuration", "%v", err)
	}
	for _, s := range all {
		if c, can := s.(checker); can {
			if err := c.Check(ctx); err != nil {
				return failed("start what it works with, or mend the setting that is named", "%s: %v", s, err)
			}
		}
	}
	return fine("%s", all)
}
