package explain

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/internal/catalog"
	"github.com/bucketgen/bucketgen/internal/words"
	"github.com/bucketgen/bucketgen/registry/table"
)

// evidence is under construction: its methods fill in the fields of one kind of condition.
type evidence bucketgen.Evidence

// evidence returns the facts behind the result of a condition.
func (p *probe) evidence(n *table.Node, t *table.Traced) *bucketgen.Evidence {
	from, now := &t.Evidence, p.now
	e := &evidence{}
	switch {
	case n.Op.IsProperty():
		row := &p.registry.Properties[n.Property]
		e.Property = catalog.Path(row.Name, row.Path)
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
		unwanted := &evidence{}
		unwanted.counted(from.Other, now)
		e.Unwanted = (*bucketgen.Evidence)(unwanted)
		e.Text = fmt.Sprintf("of the former %s; of the latter %s", e.Text, e.Unwanted.Text)
	case from.Counted != nil:
		e.counted(from.Counted, now)
	case from.Quantity != nil:
		e.quantity(from.Quantity, n.Op == table.OpAverage, now)
	case n.Op == table.OpCompleted:
		e.chain(from.Chain, &p.registry.Sequences[n.Sequence], now)
	case n.Op == table.OpUnanswered:
		e.open(from.Chain, &p.registry.Sequences[n.Sequence], now)
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
	return (*bucketgen.Evidence)(e)
}

func (e *evidence) property(from *table.Evidence, now table.Instant) {
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

func (e *evidence) counted(c *table.Counted, now table.Instant) {
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

func (e *evidence) quantity(q *table.Quantity, average bool, now table.Instant) {
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

func (e *evidence) chain(c *table.Chain, row *table.Sequence, now table.Instant) {
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

func (e *evidence) open(c *table.Chain, row *table.Sequence, now table.Instant) {
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

// shown returns a value as people write it, and how far away it is where it is an instant.
func shown(v table.Value, now table.Instant) string {
	if v.Kind == table.Time {
		return moment(v.Time, now)
	}
	return words.Value(v)
}

// newest returns the rank of an occurrence from the newest, in words.
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

// moment returns when something is, and how long before or after now.
func moment(at, now table.Instant) string {
	return fmt.Sprintf("%s (%s)", at, words.Relative(at, now))
}
