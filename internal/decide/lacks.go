package decide

import (
	"slices"

	"github.com/bucketgen/bucketgen/registry/table"
)

// Lacks records what a session read and was not loaded.
type Lacks struct {
	Facts      []table.Need          // facts of criteria
	Stays      []table.BucketIndex   // buckets whose latest stay is needed
	Properties []table.PropertyIndex // properties whose last change is needed
	LastEvent  bool                  // when the last event arrived
}

func (l *Lacks) addStay(b table.BucketIndex) { l.Stays = append(l.Stays, b) }

func (l *Lacks) addProperty(p table.PropertyIndex) { l.Properties = append(l.Properties, p) }

// Lacks returns what the session read and was not loaded, sorted, and whether there is anything. If
// so, the changes of the session are void: load what is lacking and run the session again.
func (s *Session) Lacks() (Lacks, bool) {
	l := &s.lacks
	l.Facts = s.state.Facts.Lacks()
	slices.Sort(l.Stays)
	l.Stays = slices.Compact(l.Stays)
	slices.Sort(l.Properties)
	l.Properties = slices.Compact(l.Properties)
	return *l, len(l.Facts)+len(l.Stays)+len(l.Properties) > 0 || l.LastEvent
}
