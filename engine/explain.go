package engine

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/event"
	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/internal/transact"
	"github.com/bucketgen/bucketgen/internal/words"
	"github.com/bucketgen/bucketgen/registry"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Explanation says why a user is in a bucket or not, and what happens next if nothing but time does. Its String is for
// people.
type Explanation struct {
	BucketID   string    `json:"bucketId"`
	BucketName string    `json:"bucketName"`
	UserID     string    `json:"userId"`
	UserEmail  string    `json:"userEmail,omitempty"`
	At         time.Time `json:"at"` // of what is said here: now

	Member bool  `json:"member"`
	Stay   *Stay `json:"stay,omitempty"` // the latest one; nil if there never was any

	Manual   bool       `json:"manual,omitempty"`
	Paused   bool       `json:"paused,omitempty"`
	Other    bool       `json:"otherDeployed,omitempty"` // another definition is deployed, or none: nobody moves by this one
	Criteria *Condition `json:"criteria,omitempty"`      // nil of a manual bucket
	Policy   []string   `json:"policy"`                  // in words
	Standing Standing   `json:"standing"`                // of the user, by the policy

	// Next is what the clock does next, unless something else happens before: a join, a leave, or ticks that are due
	// together, and after ticks the join or leave that follows. It is empty if nothing ever happens by time alone, or not
	// before NothingUntil.
	Next []Transition `json:"next"`

	// Drift is what the criteria asks about that arrives as another type than is declared, from whatever users: it matches nothing.
	Drift []Drift `json:"drift,omitempty"`

	// NothingUntil is set where the clock has too much to look at to say what happens after that instant, and to the end of the
	// year 9999 where something happens later, which RFC 3339 cannot express.
	NothingUntil time.Time `json:"nothingUntil,omitzero"`
}

// Standing is what a bucket's policy comes to for one user. What does not apply is zero.
type Standing struct {
	StaysUntil time.Time `json:"staysUntil,omitzero"` // of a member: the minimal dwell lasts until then
	LeavesBy   time.Time `json:"leavesBy,omitzero"`   // of a member: the maximal dwell ends then

	// Blocked says that the maximal dwell ended and the criteria has held ever since: only an event or trait of the user's
	// own lets them join again.
	Blocked bool `json:"blocked,omitempty"`

	// Unannounced says that a join of the user, who is none now, would not be announced: before AnnouncedFrom or, where that
	// is zero, ever.
	Unannounced   bool      `json:"unannounced,omitempty"`
	AnnouncedFrom time.Time `json:"announcedFrom,omitzero"`
}

// Explain says why a user is in a bucket or not. It sees what is committed, and what is due by now as if it were done; it
// locks and changes nothing. A user of whom nothing is known gives [ErrUnknownUser], one who is deleted [ErrDeleted].
func (e *Engine) Explain(ctx context.Context, bucket registry.BucketRef, userID string) (Explanation, error) {
	b, err := e.lookup(bucket)
	if err != nil {
		return Explanation{}, fmt.Errorf("explain: %w", err)
	}
	if err := event.UserID(userID); err != nil {
		return Explanation{}, fmt.Errorf("explain: %w", err)
	}
	name := e.name(userID)
	var x Explanation
	err = transact.Canonical(func() error {
		x, err = e.explain(ctx, b, name)
		return err
	}, func(n transact.Names) { name = n.Of(name) })
	if err != nil {
		return Explanation{}, fmt.Errorf("explain bucket %q for user %q: %w", bucket.ID(), userID, err)
	}
	return x, nil
}

func (e *Engine) explain(ctx context.Context, b table.BucketIndex, userID string) (Explanation, error) {
	l := look{registry: e.registry, bucket: b}
	t := &transact.Task{Want: store.Request{User: userID}, Options: e.options(true), Step: l.take, Named: true}
	var email string
	var deleted bool
	err := e.runner.Consult(ctx, []*transact.Task{t}, func(_ *transact.Task, st *decide.State, _ *decide.Session) {
		email, deleted = st.Contact.Email, st.Contact.Deleted
	})
	switch {
	case err != nil:
		return Explanation{}, err
	case t.Missed:
		return Explanation{}, ErrUnknownUser
	case deleted:
		return Explanation{}, ErrDeleted
	}
	if l.stay != nil && l.stay.Source == "" { // it was read, without what no decision rests on
		row, err := e.store.Queries(e.pool).MembershipsStay(ctx, db.MembershipsStayParams{
			UserID: userID, BucketNo: e.store.Bucket(b), Epoch: int32(l.stay.Epoch),
		})
		if err != nil && !noRow(err) {
			return Explanation{}, fmt.Errorf("read the stay: %w", err)
		}
		l.stay.Source = Source(row.Source)
		if l.stay.Reason == "" && !l.stay.Active() {
			l.stay.Reason = Reason(deref(row.Reason))
		}
	}
	x := e.explanation(&l, userID, email)
	x.Drift, err = e.driftOf(ctx, b)
	return x, err
}

// look is what a session is asked for an explanation.
type look struct {
	registry *table.Registry
	bucket   table.BucketIndex
	taken    int

	now   table.Instant
	stay  *decide.Stay
	trace []table.Traced
	next  decide.Forecast
	then  decide.Forecast // after ticks
}

// The future is looked at so often at most, and given up if it takes too many round trips to read what it needs.
const (
	mostLooks    = 1000
	patientTakes = 5
)

// take asks a session. Each time it does so anew, on more facts.
func (l *look) take(s *decide.Session, clock table.Instant) decide.Result {
	l.taken++
	result := s.Clock(clock)
	l.now, l.trace = s.Now(), nil
	l.stay, _ = s.Stay(l.bucket) // if it is not known, the session runs again
	row := &l.registry.Buckets[l.bucket]
	if row.Kind == table.Dynamic {
		l.trace = s.Trace(l.bucket)
	}
	looks := mostLooks
	if l.taken > patientTakes {
		looks = 0
	}
	l.then = decide.Forecast{At: table.Never}
	l.next = s.Forecast(l.bucket, true, looks)
	if len(l.next.Transitions) > 0 && l.next.Transitions[0].Kind == Dwell {
		l.then = s.Forecast(l.bucket, false, looks)
	}
	return result
}

func (e *Engine) explanation(l *look, userID, email string) Explanation {
	row := &e.registry.Buckets[l.bucket]
	next, later := expressible(slices.Concat(l.next.Transitions, l.then.Transitions))
	x := Explanation{
		BucketID: row.ID, BucketName: row.Name, UserID: userID, UserEmail: email, At: l.now.Time(),
		Manual: row.Kind == table.Manual, Paused: e.paused(l.bucket), Policy: words.Policy(e.registry, l.bucket),
		Criteria: criteriaOf(l), Standing: standing(row, l),
		Next: e.transitions(userID, next),
	}
	if x.Next == nil {
		x.Next = []Transition{}
	}
	x.Other = !x.Paused && e.store.Deployment().Frozen(l.bucket)
	switch {
	case later:
		x.NothingUntil = table.Latest.Time()
	case len(l.next.Transitions) == 0:
		x.NothingUntil = nothingUntil(l.next.At)
	case len(l.then.Transitions) == 0:
		x.NothingUntil = nothingUntil(l.then.At)
	}
	if s := l.stay; s != nil {
		x.Member = s.Active()
		x.Stay = &Stay{EntryCount: s.Epoch, EnteredAt: s.EnteredAt.Time(), LeftAt: timeOf(s.LeftAt), Source: s.Source, Reason: s.Reason}
	}
	return x
}

// standing is what the policy of a bucket comes to.
func standing(row *table.Bucket, l *look) Standing {
	var s Standing
	switch stay := l.stay; {
	case stay == nil:
	case stay.Active():
		if end := stay.EnteredAt.Add(row.MinDwell); end > l.now {
			s.StaysUntil = timeOf(end)
		}
		if row.MaxDwell > 0 {
			s.LeavesBy = timeOf(stay.EnteredAt.Add(row.MaxDwell))
		}
	default:
		s.Blocked = stay.Blocked
		from := stay.LeftAt.Add(row.EntryPeriod)
		s.Unannounced = row.EntryLimit == table.Once || row.EntryLimit == table.OncePerPeriod && l.now < from
		if s.Unannounced && row.EntryLimit == table.OncePerPeriod {
			s.AnnouncedFrom = timeOf(from)
		}
	}
	return s
}

// timeOf returns an instant as a time, which is zero where there is none, or none that RFC 3339 can express.
func timeOf(i table.Instant) time.Time {
	const earliest table.Instant = -62167219200_000000 // the beginning of the year 0
	if i < earliest || i > table.Latest {
		return time.Time{}
	}
	return i.Time()
}

// nothingUntil is timeOf an instant before which nothing happens.
func nothingUntil(i table.Instant) time.Time {
	if i != table.Never {
		i = min(i, table.Latest)
	}
	return timeOf(i)
}

// expressible drops what happens when RFC 3339 cannot say when, and reports whether it did.
func expressible(all []decide.Transition) ([]decide.Transition, bool) {
	i := slices.IndexFunc(all, func(t decide.Transition) bool { return t.At > table.Latest })
	if i < 0 {
		return all, false
	}
	return all[:i:i], true
}
