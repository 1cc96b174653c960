package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bucketgen/bucketgen/internal/postgres"
)

// way is a way out of the outbox.
type way struct {
	name          string
	subscriptions int
	failing       bool // every delivery of one user fails
}

func (w way) String() string {
	name := w.name
	if w.subscriptions > 1 {
		name = fmt.Sprintf("%s of %d subscriptions", name, w.subscriptions)
	}
	if w.failing {
		name += ", one user fails"
	}
	return name
}

var ways = []way{
	{"handlers", 1, false}, {"a forwarder", 1, false}, {"webhooks", 1, false}, {"handlers", 1, true}, {"handlers", 26, false},
}

// outbox measures deliveries a second by handlers, a forwarder and webhooks that do nothing, with
// backlogs of several sizes. A refill inserts as many deliveries as go out, so the backlog keeps
// its size. Each size has its own database, and the rounds of all sizes alternate.
func outbox(ctx context.Context, server *postgres.Server, o options) error {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	only, err := regexp.Compile(o.only)
	if err != nil {
		return fmt.Errorf("-only: %w", err)
	}
	target := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer target.Close()
	sizes := sizesUpTo(o.backlog)
	if o.drain {
		sizes = sizes[len(sizes)-1:]
	}
	for _, users := range []int{300, 100_000} {
		chosen := slices.DeleteFunc(slices.Clone(ways), func(w way) bool { return !only.MatchString(label(users, w)) })
		if len(chosen) == 0 {
			continue
		}
		if err := outboxOf(ctx, server, o, users, sizes, chosen, target.URL); err != nil {
			return fmt.Errorf("%d users: %w", users, err)
		}
	}
	if o.drain || !only.MatchString(riverJobs) {
		return nil
	}
	return river(ctx, server, sizes, o)
}

const riverJobs = "River, jobs that do nothing"

func label(users int, w way) string { return fmt.Sprintf("%d users, %v", users, w) }

// sizesUpTo returns the backlogs that are measured.
func sizesUpTo(most int) []int {
	sizes := slices.DeleteFunc([]int{1_000, 40_000, 1_000_000}, func(n int) bool { return n >= most })
	return append(sizes, most)
}

// outboxOf measures the outbox of a number of users and prints a line for each way.
func outboxOf(ctx context.Context, server *postgres.Server, o options, users int, sizes []int, chosen []way, target string) error {
	boxes, err := openOutboxes(ctx, server, users, sizes, target)
	if err != nil {
		return err
	}
	defer func() {
		for _, b := range boxes {
			b.pool.Close()
		}
	}()
	for _, w := range chosen {
		for _, b := range boxes {
			if err := b.fill(ctx, w); err != nil {
				return fmt.Errorf("%v: %w", w, err)
			}
		}
		if o.drain {
			rates, err := boxes[0].drain(ctx, w)
			if err != nil {
				return fmt.Errorf("%v: %w", w, err)
			}
			fmt.Printf("%-50s by tenths of %d %.0f, ratio %.2f\n", label(users, w)+":", boxes[0].backlog, rates, slices.Max(rates)/slices.Min(rates))
			continue
		}
		rates := make([][]float64, len(boxes))
		for round := range o.rounds {
			for i := range boxes {
				if round%2 == 1 {
					i = len(boxes) - 1 - i // so that no size always follows the same
				}
				rate, err := boxes[i].measure(ctx, w, o.span/time.Duration(o.rounds))
				if err != nil {
					return fmt.Errorf("%v, %d: %w", w, boxes[i].backlog, err)
				}
				rates[i] = append(rates[i], rate)
			}
		}
		printRates(label(users, w), sizes, rates)
	}
	return nil
}

// printRates prints the median, the least and the greatest rate of each size, and the ratio of the
// fastest median to the slowest.
func printRates(what string, sizes []int, rates [][]float64) {
	var parts []string
	var medians []float64
	for i, all := range rates {
		medians = append(medians, median(all))
		parts = append(parts, fmt.Sprintf("%6.0f/s (%.0f to %.0f) of %d", medians[i], slices.Min(all), slices.Max(all), sizes[i]))
	}
	fmt.Printf("%-50s %s, ratio %.2f\n", what+":", strings.Join(parts, ", "), slices.Max(medians)/slices.Min(medians))
}

// river prints how many jobs that do nothing River works a second, on the same server. Its program
// is a separate module.
func river(ctx context.Context, server *postgres.Server, sizes []int, o options) error {
	admin, err := pgx.Connect(ctx, server.URL)
	if err != nil {
		return err
	}
	_, err = admin.Exec(ctx, "create database river")
	if err = errors.Join(err, admin.Close(ctx)); err != nil {
		return err
	}
	var rates [][]float64
	for _, size := range sizes {
		cmd := exec.CommandContext(ctx, "go", "run", ".", "-database", server.Database("river"), "-jobs", strconv.Itoa(size),
			"-span", (o.span / time.Duration(o.rounds)).String(), "-rounds", strconv.Itoa(o.rounds))
		cmd.Dir, cmd.Stderr = "bench/river", os.Stderr
		out, err := cmd.Output()
		if err != nil {
			return fmt.Errorf("river: %w; run -outbox in the module's own folder", err)
		}
		var some []float64
		for text := range strings.FieldsSeq(string(out)) {
			rate, err := strconv.ParseFloat(text, 64)
			if err != nil {
				return fmt.Errorf("river: %w", err)
			}
			some = append(some, rate)
		}
		rates = append(rates, some)
	}
	printRates(riverJobs, sizes, rates)
	return nil
}
