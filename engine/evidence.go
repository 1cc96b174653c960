package engine

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/bucketgen/bucketgen/internal/words"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Evidence is what the truth of a condition rests on. Text says it all; the rest is the same for programs, as far as it
// applies.
type Evidence struct {
	Text string `json:"text"`

	Value     string    `json:"value,omitempty"` // of the property or field, as people write it: "pro" in quotes, missing
	Was       string    `json:"was,omitempty"`   // before it changed, of conditions on that
	ChangedAt time.Time `json:"changedAt,omitzero"`

	Count     *int      `json:"count,omitempty"`     // of occurrences in the window, or of what they differ by
	More      bool      `json:"more,omitempty"`      // there may be more: no more were needed
	Newest    time.Time `json:"newest,omitzero"`     // when the newest of them occurred
	Rank      int       `json:"rank,omitempty"`      // which of them, from the newest, the condition rests on
	Deciding  time.Time `json:"deciding,omitzero"`   // when that one occurred
	LeavesAt  time.Time `json:"leavesAt,omitzero"`   // when it leaves the window; of a sum, when the oldest does
	Unwanted  *Evidence `json:"unwanted,omitempty"`  // the same of what must not have occurred
	Different []string  `json:"different,omitempty"` // what occurrences differ by

	Total string    `json:"total,omitempty"` // of a sum or average, exactly
	At    time.Time `json:"at,omitzero"`     // when the first, or the last, occurred

	Steps int         `json:"steps,omitempty"` // that were taken in a sequence
	Begin time.Time   `json:"begin,omitzero"`  // when that began
	End   time.Time   `json:"end,omitzero"`    // when the last of the steps was taken
	Open  []time.Time `json:"open,omitempty"`  // when chains ended that nothing has followed yet

	Draw *float64 `json:"draw,omitempty"` // the user's number in a sample, from 0 up to 100
}

// evidence says what a condition rests on.
func (l *look) evidence(n *table.Node, t *table.Traced) *Evidence {
	from, now := &t.Evidence, l.now
	e := &Evidence{}
	switch {
	case n.Op.IsProperty():
		e.property(from, now)
	case n.Op == table.OpFirst || n.Op == table.OpLast:
		e.Text = "there was none"
		if e.At = timeOf(from.At); !e.At.IsZero() {
			e.Value = words.Value(from.Value)
			e.Text = fmt.Sprintf("it was at %s, with %s", moment(from.At, now), shown(from.Value, now))
		}
	case n.Op == table.OpFirstWithin:
		e.Text = "there was none"
		if e.At = timeOf(from.At); !e.At.IsZero() {
			e.Text = "the first was at " + moment(from.At, now)
		}
	case n.Op == table.OpOnly:
		e.counted(from.Counted, now)
		e.Unwanted = &Evidence{}
		e.Unwanted.counted(from.Other, now)
		e.Text = fmt.Sprintf("of the former %s; of the latter %s", e.Text, e.Unwanted.Text)
	case from.Counted != nil:
		e.counted(from.Counted, now)
	case from.Quantity != nil:
		e.quantity(from.Quantity, n.Op == table.OpAverage, now)
	case n.Op == table.OpCompleted:
		e.chain(from.Chain, &l.registry.Sequences[n.Sequence], now)
	case n.Op == table.OpUnanswered:
		e.open(from.Chain, &l.registry.Sequences[n.Sequence], now)
	case n.Op == table.OpInBucket:
		e.Text = "the user is not"
		if t.True {
			e.Text = "the user is"
		}
	case n.Op == table.OpSample:
		e.Draw = &from.Draw
		e.Text = fmt.Sprintf("the user's number is %.4g, and those below %v are in it", from.Draw, n.With.Numbers[0])
	default: // it asks for none or fewer
		e.Text = "whatever there is"
	}
	if from.Counted == nil && from.Quantity == nil && n.Op != table.OpUnanswered && t.Until != table.Never {
		e.Text += "; time alone may change that at " + moment(t.Until, now)
	}
	return e
}

func (e *Evidence) property(from *table.Evidence, now table.Instant) {
	e.Value = words.Value(from.Value)
	e.Text = "it is " + shown(from.Value, now)
	if !from.Value.Exists() {
		e.Text = "it has no value"
	}
	if from.LastChange == nil {
		return
	}
	e.Was, e.ChangedAt = words.Value(from.LastChange.Was), timeOf(from.LastChange.At)
	e.Text += fmt.Sprintf(" since %s, and was %s before", moment(from.LastChange.At, now), e.Was)
}

func (e *Evidence) counted(c *table.Counted, now table.Instant) {
	e.Count, e.More, e.Newest = &c.Count, c.More, timeOf(c.Newest)
	for _, g := range c.Groups {
		e.Different = append(e.Different, g.Group)
	}
	if c.Count == 0 {
		e.Text = "there is none"
		return
	}
	verb := "is"
	if c.Count > 1 {
		verb = "are"
	}
	e.Text = fmt.Sprintf("there %s %d", verb, c.Count)
	if c.More {
		e.Text += " or more"
	}
	if len(e.Different) > 0 {
		e.Text += ": " + strings.Join(e.Different, ", ")
	}
	if c.Rank != 1 {
		e.Text += "; the newest was at " + moment(c.Newest, now)
	}
	if c.Rank == 0 {
		return
	}
	e.Rank, e.Deciding, e.LeavesAt = c.Rank, timeOf(c.Deciding), timeOf(c.Leaves)
	e.Text += fmt.Sprintf("; the %s was at %s", newest(c.Rank), moment(c.Deciding, now))
	if c.Leaves != table.Never {
		e.Text += ", and counts until " + moment(c.Leaves, now)
	}
}

func (e *Evidence) quantity(q *table.Quantity, average bool, now table.Instant) {
	e.Count, e.Total, e.LeavesAt = &q.Count, table.DecimalText(q.Total), timeOf(q.Leaves)
	if q.Count == 0 {
		e.Text = "there is none to add up"
		return
	}
	e.Text = fmt.Sprintf("it is %s, of %s", e.Total, words.Count(q.Count, "occurrence"))
	if average {
		mean, _ := new(big.Rat).Quo(q.Total, big.NewRat(int64(q.Count), 1)).Float64()
		e.Text = fmt.Sprintf("it is about %s: %s, of %s", strconv.FormatFloat(mean, 'g', 6, 64), e.Total, words.Count(q.Count, "occurrence"))
	}
	if q.Leaves != table.Never {
		e.Text += "; the oldest counts until " + moment(q.Leaves, now)
	}
}

func (e *Evidence) chain(c *table.Chain, row *table.Sequence, now table.Instant) {
	e.Steps, e.Begin, e.End = c.Steps, timeOf(c.Begin), timeOf(c.End)
	switch steps := len(row.Steps); {
	case c.Steps == steps && c.Begin != table.Unset:
		e.Text = fmt.Sprintf("it was last completed at %s, and had begun at %s", moment(c.End, now), moment(c.Begin, now))
	case c.Steps == steps:
		e.Text = "it was last completed at " + moment(c.End, now)
	case c.Steps > 0:
		e.Text = fmt.Sprintf("%d of %d steps were taken, the last of those at %s", c.Steps, steps, moment(c.End, now))
	default:
		e.Text = "it was never completed"
	}
}

func (e *Evidence) open(c *table.Chain, row *table.Sequence, now table.Instant) {
	if len(c.Open) == 0 {
		e.Text = "nothing waits for what must not follow"
		return
	}
	for _, chain := range c.Open {
		e.Open = append(e.Open, timeOf(chain.At))
	}
	over := c.Open[0].At.Add(row.Steps[len(row.Steps)-1].Within)
	verb := "ends"
	if over <= now {
		verb = "ended"
	}
	e.Text = fmt.Sprintf("%s unanswered, the oldest since %s, whose time %s at %s", words.Count(len(c.Open), "chain"), moment(c.Open[0].At, now), verb, moment(over, now))
}

// shown is a value as people write it, and how far off it is where it is an instant.
func shown(v table.Value, now table.Instant) string {
	if v.Kind == table.Time {
		return moment(v.Time, now)
	}
	return words.Value(v)
}

// newest says which of the newest.
func newest(rank int) string {
	if rank == 1 {
		return "newest"
	}
	suffix := "th"
	if rank%100 < 11 || rank%100 > 13 {
		switch rank % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return fmt.Sprintf("%d%s newest", rank, suffix)
}

// moment says when something is, and how long before or after now.
func moment(at, now table.Instant) string {
	return fmt.Sprintf("%s (%s)", at, words.Relative(at, now))
}
