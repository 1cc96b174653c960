package explain

import (
	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/words"
	"github.com/bucketgen/bucketgen/registry/table"
)

// The bounds of a forecast: how many instants it evaluates, and after how many round trips that
// read facts for it, it is given up.
const (
	maxEvaluations = 1000
	maxRuns        = 5
)

// probe is the step of an explanation, with what it read from the session.
type probe struct {
	registry *table.Registry
	bucket   table.BucketIndex
	runs     int

	now       table.Instant
	stay      *decide.Stay
	enteredAs *bucketgen.ID
	trace     []table.Traced
	next      decide.Forecast
	then      decide.Forecast // after ticks
}

// run reads a session. Each run starts afresh, on more facts.
func (p *probe) run(s *decide.Session, clock table.Instant) decide.Result {
	p.runs++
	result := s.Clock(clock)
	p.now, p.trace = s.Now(), nil
	p.stay, _ = s.Stay(p.bucket) // if it is not known, the session runs again
	row := &p.registry.Buckets[p.bucket]
	if row.Kind == table.Dynamic {
		p.trace = s.Trace(p.bucket)
	}
	evaluations := maxEvaluations
	if p.runs > maxRuns {
		evaluations = 0
	}
	p.then = decide.Forecast{At: table.Never}
	p.next = s.Forecast(p.bucket, true, evaluations)
	if len(p.next.Transitions) > 0 && p.next.Transitions[0].Kind == bucketgen.Dwell {
		p.then = s.Forecast(p.bucket, false, evaluations)
	}
	return result
}

// policyEffect returns the effect of the policy of the bucket on the user.
func (p *probe) policyEffect(row *table.Bucket) (s bucketgen.PolicyEffect) {
	switch stay := p.stay; {
	case stay == nil:
	case stay.Active():
		if end := stay.EnteredAt.Add(row.MinDwell); end > p.now {
			s.StaysUntil = timeOf(end)
		}
		if row.MaxDwell > 0 {
			s.LeavesBy = timeOf(stay.EnteredAt.Add(row.MaxDwell))
		}
	default:
		s.Blocked = stay.Blocked
		from := stay.LeftAt.Add(row.EntryPeriod)
		s.Unannounced = row.EntryLimit == table.Once || row.EntryLimit == table.OncePerPeriod && p.now < from
		if s.Unannounced && row.EntryLimit == table.OncePerPeriod {
			s.AnnouncedFrom = timeOf(from)
		}
	}
	return s
}

// criteria returns the criteria of the bucket as a tree, nil for a manual bucket.
func (p *probe) criteria() *bucketgen.Condition {
	if p.trace == nil {
		return nil
	}
	root, _ := p.condition(words.Criteria(p.registry, p.bucket))
	return &root
}

// condition returns the condition of the first line, and the lines after those that belong to it.
func (p *probe) condition(lines []words.Line) (bucketgen.Condition, []words.Line) {
	line := lines[0]
	c := bucketgen.Condition{Words: line.Text, Holds: p.trace[line.Node].True, Until: timeOf(p.trace[line.Node].Until)}
	place := line.Node
	nodes := p.registry.Buckets[p.bucket].Criteria
	for nodes[place].Op == table.OpNot { // a negated condition is in the same line
		place++
	}
	if !nodes[place].Op.Combines() {
		c.Evidence = p.evidence(&nodes[place], &p.trace[place])
	}
	lines = lines[1:]
	for len(lines) > 0 && lines[0].Depth > line.Depth {
		var part bucketgen.Condition
		part, lines = p.condition(lines)
		c.Parts = append(c.Parts, part)
	}
	return c, lines
}
