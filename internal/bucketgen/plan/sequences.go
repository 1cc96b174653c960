package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"

	"github.com/bucketgen/bucketgen/internal/ir"
	"github.com/bucketgen/bucketgen/registry/table"
)

// sequence is what criteria ask about events that follow each other.
type sequence struct {
	Steps  []sequenceStep `json:"steps"`
	Within time.Duration  `json:"within,omitempty"`
	Keyed  bool           `json:"keyed,omitempty"`
	Unless bool           `json:"unless,omitempty"`
}

type sequenceStep struct {
	Signal string        `json:"signal"` // its key
	Within time.Duration `json:"within,omitempty"`

	signal signal
}

func sequenceOf(c *ir.SequenceCheck) sequence {
	s := sequence{Within: c.Within, Unless: c.Unless}
	for i := range c.Steps {
		of := signal{Event: c.Steps[i].Event, Filter: c.Steps[i].Filter, Field: c.Steps[i].Key}
		s.Keyed = s.Keyed || of.Field != nil
		s.Steps = append(s.Steps, sequenceStep{Signal: of.key(), Within: c.Steps[i].Within, signal: of})
	}
	return s
}

// key identifies the sequence in the database, like the key of a signal.
func (s sequence) key() string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // plain data
	}
	sum := sha256.Sum256(text)
	return "sequence " + hex.EncodeToString(sum[:8]) + " of " + s.Steps[0].signal.Event
}

// collectSequences gives every sequence of a criteria its row. Its signals have rows already.
func (v *vocabulary) collectSequences(defs []ir.Definition) {
	specs := map[string]sequence{}
	for i := range defs {
		defs[i].Criteria.Walk(func(n *ir.Node) {
			if n.Sequence != nil {
				s := sequenceOf(n.Sequence)
				specs[s.key()] = s
			}
		})
	}
	taken := names{}
	v.sequencePlaces = map[string]table.SequenceIndex{}
	for i, key := range sorted(specs) {
		s, place := specs[key], table.SequenceIndex(i)
		row := table.Sequence{Key: key, Within: s.Within, Keyed: s.Keyed, Unless: s.Unless}
		var name strings.Builder
		for n, step := range s.Steps {
			at := v.signal(step.signal)
			row.Steps = append(row.Steps, table.SequenceStep{Signal: at, Within: step.Within})
			v.signals[at].Sequences = distinct(append(v.signals[at].Sequences, place))
			name.WriteString(between(n, len(s.Steps), s.Unless) + v.eventNaming[v.signals[at].Event].GoName)
		}
		v.sequences = append(v.sequences, row)
		v.sequencePlaces[key] = place
		v.sequenceNaming = append(v.sequenceNaming, Naming{GoName: taken.numbered(name.String())})
	}
}

// between is the text before a step in the name of a sequence.
func between(step, steps int, unless bool) string {
	switch {
	case step == 0:
		return ""
	case unless && step == steps-1:
		return "ThenNot"
	default:
		return "Then"
	}
}

func (v *vocabulary) sequence(c *ir.SequenceCheck) table.Node {
	n := table.Node{Op: table.OpCompleted, Sequence: v.sequencePlaces[sequenceOf(c).key()], Window: windowOf(c.Window)}
	if c.Unless {
		n.Op = table.OpUnanswered
	}
	return n
}

// signalsOfSteps returns the signals of a sequence's steps.
func signalsOfSteps(c *ir.SequenceCheck) []signal {
	var all []signal
	for _, step := range sequenceOf(c).Steps {
		all = append(all, step.signal)
	}
	return all
}

// steps appends the signals and events of a sequence to those of a bucket.
func (v *vocabulary) steps(b *table.Bucket, s table.SequenceIndex) {
	for _, step := range v.sequences[s].Steps {
		b.Signals = append(b.Signals, step.Signal)
		b.Events = append(b.Events, v.signals[step.Signal].Event)
	}
}
