package hatchet

import (
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/bucketgen/bucketgen/registry/table"
)

// Configured reports whether the environment says where Hatchet is: whether HATCHET_CLIENT_TOKEN is
// set.
func Configured() bool { return os.Getenv("HATCHET_CLIENT_TOKEN") != "" }

// Config configures an adapter. The zero value pushes no transitions, and does everything else.
type Config struct {
	// Events are the transitions that are pushed. Hatchet takes a hundred or two in a second for
	// each of its cores, so only what something waits for should be. From the first start on,
	// transitions are kept for each until they are pushed; [engine.Outbox.Unsubscribe] with
	// "hatchet:" and the event's key ends that. Defaults to none but those of Reactions.
	Events []Event

	// Reactions are tasks that transitions trigger. Their events are pushed, too. Defaults to none.
	Reactions []Reaction

	// Worker is what this process is called in Hatchet. Several may have the same name. Defaults to
	// bucketgen.
	Worker string

	// Slots is how many jobs run at once in this process. Defaults to 10.
	Slots int

	// DurableSlots is how many durable tasks run at once in this process. What sleeps longer than a
	// few seconds needs none. Defaults to 1000.
	DurableSlots int

	// ReconcileCron is when all memberships are reconciled, as five fields of a crontab. Defaults
	// to as often as the most impatient bucket asks for by ReconcileEvery, and to never if none
	// does.
	ReconcileCron string

	// PushOnly leaves all tasks to other processes: this one only pushes what triggers them.
	// Defaults to false.
	PushOnly bool

	// Logger takes what happens in the background. Defaults to slog.Default.
	Logger *slog.Logger
}

func (c Config) withDefaults(r *table.Registry) Config {
	def(&c.Worker, "bucketgen")
	def(&c.Slots, 10)
	def(&c.DurableSlots, 1000)
	if c.ReconcileCron == "" {
		c.ReconcileCron = cronOf(r.Buckets)
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}

func def[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func (c Config) validate() error {
	if c.Slots < 0 {
		return fmt.Errorf("hatchet.Config.Slots is %d; it must be positive, or zero for the default", c.Slots)
	}
	if c.DurableSlots < 0 {
		return fmt.Errorf("hatchet.Config.DurableSlots is %d; it must be positive, or zero for the default", c.DurableSlots)
	}
	return nil
}

// cronOf returns a crontab that is as impatient as the most impatient of the buckets, or a little
// more, for it counts from the full hour or day. It is empty if no bucket asks for any.
func cronOf(buckets []table.Bucket) string {
	every := time.Duration(0)
	for i := range buckets {
		if asked := buckets[i].ReconcileEvery; asked > 0 && (every == 0 || asked < every) {
			every = asked
		}
	}
	switch hours, minutes := int(every.Hours()), int(every.Minutes()); {
	case every == 0:
		return ""
	case hours >= 24:
		return "0 0 * * *"
	case hours >= 1:
		return fmt.Sprintf("0 */%d * * *", divisor(24, hours))
	default:
		return fmt.Sprintf("*/%d * * * *", divisor(60, max(1, minutes)))
	}
}

// divisor returns the greatest divisor of n that is not greater than most.
func divisor(n, most int) int {
	for n%most != 0 {
		most--
	}
	return most
}
