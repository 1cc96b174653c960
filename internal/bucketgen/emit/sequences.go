package emit

import (
	"github.com/dave/jennifer/jen"

	"github.com/bucketgen/bucketgen/registry/table"
)

// sequenceRow is a row of the table of sequences.
func (e *emitter) sequenceRow(s *table.Sequence) jen.Code {
	steps := make([]jen.Code, len(s.Steps))
	for i, step := range s.Steps {
		fields := []jen.Code{field("Signal", jen.Id(e.signal(step.Signal)))}
		if step.Within != 0 {
			fields = append(fields, field("Within", dur(step.Within)))
		}
		steps[i] = row(fields...)
	}
	fields := []jen.Code{field("Key", jen.Lit(s.Key)), field("Steps", slice("SequenceStep", row(steps...)))}
	if s.Within != 0 {
		fields = append(fields, field("Within", dur(s.Within)))
	}
	if s.Keyed {
		fields = append(fields, field("Keyed", jen.True()))
	}
	if s.Unless {
		fields = append(fields, field("Unless", jen.True()))
	}
	return row(fields...)
}
