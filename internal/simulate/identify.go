package simulate

import (
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/resolve"
)

// identify does what the ids of an event ask for, and returns the user that the event is about.
func (s *Simulator) identify(names []string, trusted bool) string {
	for _, name := range names {
		s.wake(s.owner(name))
	}
	plan := resolve.Decide(names, s.owner, trusted)
	for _, step := range plan.Before {
		s.apply(step)
	}
	s.see(names, plan.Subject)
	for _, name := range plan.Attached {
		s.attach(name, plan.Subject)
	}
	return plan.Subject
}

// owner returns the user that an id leads to, or an empty name.
func (s *Simulator) owner(name string) string {
	if to, known := s.aliases[name]; known {
		return to
	}
	if s.users[name] != nil {
		return name
	}
	return ""
}

func (s *Simulator) apply(step resolve.Change) {
	switch step.Op {
	case resolve.Share:
		s.aliases[step.From] = step.Into
	case resolve.Promote:
		s.promote(step.From, step.Into)
	case resolve.Merge:
		if !s.exceeds(step.From, step.Into) {
			_, _ = s.Merge(step.From, step.Into) // if it is refused, the ids stay as they are
		}
	case resolve.Attach:
	}
}

// promote gives a user another name. All buckets are evaluated: some exclude who they were.
func (s *Simulator) promote(from, into string) {
	s.run(from, s.catchUpOne)
	u := s.users[from]
	if u.state.Contact.Deleted {
		return
	}
	s.realias(from, into)
	delete(s.users, from)
	s.users[into] = u
	u.state.Contact.Visitor = resolve.IsVisitor(into)
	u.state.Contact.Life = max(u.state.Contact.Life, s.life(into))
	u.move(s.registry, s.registry, into) // samples go by the name
	s.handOver(from, into)
	s.run(into, func(u *decide.Session) decide.Result { return u.Merge(s.now) })
}

// realias lets all names of a user lead to another one.
func (s *Simulator) realias(from, into string) {
	for other, name := range s.aliases {
		if name == from {
			s.aliases[other] = into
		}
	}
	s.point(from, into)
}

// handOver makes the transitions of a user those of the name that the user has now.
func (s *Simulator) handOver(from, into string) {
	for i := range s.transitions {
		if t := &s.transitions[i]; t.User == from {
			t.User = into
		}
	}
}
