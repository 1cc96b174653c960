package webhook

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/store"
)

// Attempt is an attempt to post a webhook.
type Attempt struct {
	At          time.Time `json:"at"`               // when it began
	TookMs      float64   `json:"tookMs"`           // how many milliseconds the answer took
	Status      int       `json:"status,omitempty"` // of HTTP; 0: there was no answer
	Taken       bool      `json:"taken"`            // whether the endpoint has taken the webhook
	Transitions int       `json:"transitions"`      // how many it carried
	Error       string    `json:"error,omitempty"`  // why it was not taken: never what the answer says
}

// Attempts returns the latest attempts to post to an endpoint, by its number or its name, the
// newest first: those before an id, or all if it is 0. more is the id for the next page, 0 on the
// last one. Services keep [Config.Attempts] of each endpoint.
func (es *Endpoints) Attempts(ctx context.Context, which string, before int64, size int) (page []Attempt, more int64, err error) {
	e, err := es.Find(ctx, which)
	if err != nil {
		return nil, 0, err
	}
	if before == 0 {
		before = math.MaxInt64
	}
	const most = 1000
	size = min(max(size, 1), most)
	rows, err := es.queries().EndpointAttemptsPage(ctx, db.EndpointAttemptsPageParams{No: int32(e.No), BeforeID: before, Size: int32(size + 1)})
	if err != nil {
		return nil, 0, fmt.Errorf("attempts of endpoint %q: %w", which, err)
	}
	if len(rows) > size {
		rows = rows[:size]
		more = rows[size-1].ID
	}
	page = make([]Attempt, len(rows))
	for i, row := range rows {
		page[i] = Attempt{
			At: row.At.Time.UTC(), TookMs: float64(row.TookUs) / 1000, Status: int(row.Status), Taken: Answer{Status: int(row.Status)}.Taken(),
			Transitions: int(row.Transitions), Error: row.Error,
		}
		if a := &page[i]; !a.Taken && a.Status != 0 {
			a.Error = fmt.Sprintf("answered %d %s", a.Status, http.StatusText(a.Status))
		}
	}
	return page, more, nil
}

// made is an attempt that was made.
type made struct {
	Attempt

	no int // no is the number of the endpoint
}

// attempts holds attempts until they are written, which happens for several together. It is safe
// for concurrent use.
type attempts struct {
	most int // most is how many are kept of an endpoint

	mu  sync.Mutex
	all []made
}

// mostText is how many bytes of an error are kept.
const mostText = 200

// add adds an attempt. Of each endpoint, only the newest are kept.
func (a *attempts) add(one made) {
	if a.most < 0 {
		return
	}
	if len(one.Error) > mostText {
		one.Error = one.Error[:mostText]
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.all = append(a.all, one)
	if len(a.all) >= 2*a.most { // not each time, since it reads all
		a.trim()
	}
}

// trim forgets all attempts but the newest of each endpoint.
func (a *attempts) trim() {
	of := map[int]int{}
	kept := a.all[:0:0]
	for _, one := range slices.Backward(a.all) {
		if of[one.no]++; of[one.no] <= a.most {
			kept = append(kept, one)
		}
	}
	slices.Reverse(kept)
	a.all = kept
}

// take returns the attempts, and forgets them.
func (a *attempts) take() []made {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.trim()
	all := a.all
	a.all = nil
	return all
}

// writeAttempts writes the attempts that were made since the last call. If that fails, they are
// lost: they are for people who search the cause of a failure, and deliveries do not depend on
// them.
func (s *Service) writeAttempts(ctx context.Context) error {
	all := s.attempts.take()
	if len(all) == 0 {
		return nil
	}
	var add db.EndpointAttemptsAddParams
	for _, one := range all {
		add.Numbers, add.Times = append(add.Numbers, int32(one.no)), append(add.Times, store.Timestamp(one.At))
		add.TookUs, add.Statuses = append(add.TookUs, int64(one.TookMs*1000)), append(add.Statuses, int32(one.Status))
		add.Transitions, add.Errors = append(add.Transitions, int32(one.Transitions)), append(add.Errors, one.Error)
	}
	q := s.queries()
	if err := q.EndpointAttemptsAdd(ctx, add); err != nil {
		return fmt.Errorf("write attempts: %w", err)
	}
	slices.Sort(add.Numbers)
	trim := db.EndpointAttemptsTrimParams{Numbers: slices.Compact(add.Numbers), Most: int64(s.config.Attempts)}
	if err := q.EndpointAttemptsTrim(ctx, trim); err != nil {
		return fmt.Errorf("trim attempts: %w", err)
	}
	return nil
}

// attempt posts a message that carries some transitions, and notes the attempt.
func (s *Service) attempt(ctx context.Context, to target, m message, transitions int, now time.Time) (Answer, error) {
	began := time.Now()
	answer, err := s.poster.post(ctx, to, m, now)
	one := made{Attempt{At: now, TookMs: time.Since(began).Seconds() * 1000, Status: answer.Status, Transitions: transitions}, to.no}
	if err != nil {
		one.Error = err.Error()
	}
	s.attempts.add(one)
	return answer, err
}
