package bucket

import (
	"time"

	"github.com/bucketgen/bucketgen/internal/ir"
)

// OccurrencesAgo are the occurrences of an event in a window that ends some time ago, and moves
// with the clock like one that ends now. [Occurrences.Ago] returns them. They are not a criteria
// yet: ask how many there are.
//
// The answer is checked when the event arrives, which matters only if it arrives late, and at the
// instants at which an occurrence that enters or leaves the window changes the answer.
type OccurrencesAgo struct{ of Occurrences }

// Ago narrows the question to the window between two times ago: Ago(90*Day, 30*Day) is (now-90d,
// now-30d]. The longer time comes first; both must be positive.
func (o Occurrences) Ago(from, until time.Duration) OccurrencesAgo {
	return OccurrencesAgo{o.window(ir.Window{Last: from, Until: until, Ago: true})}
}

// Exists holds while there is an occurrence.
func (o OccurrencesAgo) Exists() Criteria { return o.of.count(ir.Gte, 1) }

// Never holds while there is no occurrence, also for users without any facts.
func (o OccurrencesAgo) Never() Criteria { return o.of.count(ir.Lte, 0) }

// AtLeast holds while there are n occurrences or more.
func (o OccurrencesAgo) AtLeast(n int) Criteria { return o.of.count(ir.Gte, n) }

// MoreThan holds while there are more than n occurrences.
func (o OccurrencesAgo) MoreThan(n int) Criteria { return o.of.count(ir.Gt, n) }

// AtMost holds while there are n occurrences or fewer, also for users without any facts.
func (o OccurrencesAgo) AtMost(n int) Criteria { return o.of.count(ir.Lte, n) }

// LessThan holds while there are fewer than n occurrences, also for users without any facts.
func (o OccurrencesAgo) LessThan(n int) Criteria { return o.of.count(ir.Lt, n) }

// Exactly holds while there are n occurrences, no more and no fewer.
func (o OccurrencesAgo) Exactly(n int) Criteria { return o.of.count(ir.Eq, n) }

// Min is the smallest number in the field. Without a number no comparison holds.
func (o OccurrencesAgo) Min(f NumberField) Quantity { return o.of.quantity(ir.Min, f) }

// Max is the greatest number in the field. Without a number no comparison holds.
func (o OccurrencesAgo) Max(f NumberField) Quantity { return o.of.quantity(ir.Max, f) }
