package engine

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/bucketgen/bucketgen/internal/backtest"
	"github.com/bucketgen/bucketgen/registry"
	"github.com/bucketgen/bucketgen/registry/table"
)

// BackTestOptions say what to run over the log, and what to compare it with. The zero value runs every bucket of the engine's
// own registry up to now.
type BackTestOptions struct {
	// Registry is what is run. It need not be deployed: the registry of a branch, or one made at run time. Defaults to
	// the engine's.
	Registry *registry.Registry

	// Buckets are the ids of the buckets that are reported. Defaults to all.
	Buckets []string

	// Until is how far the clock runs. What was received later is left out. Defaults to now.
	Until time.Time

	// Against is what each of the buckets is compared with. Defaults to nothing.
	Against BackTestAgainst

	// Workers is how many users are worked out at once. Defaults to the number of processors.
	Workers int

	// Progress is called now and then. Defaults to nothing.
	Progress func(BackTestProgress)

	// Transition is called with each thing that would have happened to a reported bucket, ticks included: user by user in
	// the order in which the engine got to know them, and for each in the order of time. Defaults to nothing.
	Transition func(Transition)
}

// BackTestAgainst is another version of a bucket. Setting any of its fields asks for a comparison.
type BackTestAgainst struct {
	// Registry is where the other version is. Defaults to the one that is run.
	Registry *registry.Registry

	// Bucket is the id of the other version. Defaults to the id of the bucket that is compared.
	Bucket string

	// Recorded says that the other version is what the engine did at the time, as it is logged.
	Recorded bool
}

// BackTestProgress is how far a back-test is.
type BackTestProgress struct {
	Users  int64
	Events int64
	Share  float64 // of the users, roughly: from 0 to 1
}

// BackTestResult is what a back-test found.
type BackTestResult struct {
	Users   int64            `json:"users"` // whom the engine knows
	Events  int64            `json:"events"`
	Until   time.Time        `json:"until"`
	Buckets []BackTestBucket `json:"buckets"`
}

// BackTestBucket is what would have happened to a bucket.
type BackTestBucket struct {
	BucketID string            `json:"bucketId"`
	Entered  int64             `json:"entered"`
	Left     int64             `json:"left"`
	Members  int64             `json:"members"` // at the end
	Days     []BackTestDay     `json:"days"`    // of UTC, from the first on which anything happened to the last
	Against  *BackTestVersions `json:"against,omitempty"`
}

// BackTestDay is what would have happened on a day.
type BackTestDay struct {
	At      time.Time `json:"at"` // its beginning
	Entered int64     `json:"entered"`
	Left    int64     `json:"left"`
	Members int64     `json:"members"` // at its end, or at that of the back-test
}

// BackTestVersions is how two versions of a bucket differ: the one that was run, and the other.
type BackTestVersions struct {
	Other     BackTestBucket    `json:"other"`
	OnlyRun   int64             `json:"onlyRun"`   // users who are in the bucket that was run only, at the end
	OnlyOther int64             `json:"onlyOther"` // and in the other only
	Both      int64             `json:"both"`
	Days      []BackTestDiffers `json:"days"` // those at whose end the members differ

	// RunUsers and OtherUsers are the first few of the users who are in one version only, at the end.
	RunUsers   []string `json:"runUsers,omitempty"`
	OtherUsers []string `json:"otherUsers,omitempty"`
}

// BackTestDiffers is by how much two versions of a bucket differ at the end of a day.
type BackTestDiffers struct {
	At        time.Time `json:"at"` // the beginning of the day
	OnlyRun   int64     `json:"onlyRun"`
	OnlyOther int64     `json:"onlyOther"`
	Both      int64     `json:"both"`
}

// BackTest works out what buckets would have come to, had they been deployed from the beginning of the log: who would have
// entered and left them, and when. Events count in the order and at the time at which they were received, what the clock
// does happens at its own instant, and manual buckets change as they did. Nothing is written.
//
// What is not logged cannot be replayed: properties that users had before the log begins, or that
// were changed past the engine, and deletions that were undone. A user who is deleted now moves no
// more since then, and is no member.
//
// Memory does not grow with the number of users, but with what is logged of the busiest.
func (g *Deployments) BackTest(ctx context.Context, o BackTestOptions) (BackTestResult, error) {
	e := (*Engine)(g)
	if err := e.ready(); err != nil {
		return BackTestResult{}, fmt.Errorf("back-test: %w", err)
	}
	b, err := e.newBackTest(o)
	if err != nil {
		return BackTestResult{}, fmt.Errorf("back-test: %w", err)
	}
	if err := b.run(ctx); err != nil {
		return BackTestResult{}, fmt.Errorf("back-test: %w", err)
	}
	return b.end(), nil
}

// backTest is a back-test that runs.
type backTest struct {
	engine   *Engine
	options  BackTestOptions
	until    table.Instant
	tested   []*tested
	registry *table.Registry // what options say is run
	other    *table.Registry // with the other versions that run, too; nil if there are none
	logged   []string        // ids of buckets of which transitions are read: manual ones, and those recorded

	users, events int64
}

// tested is a bucket that is reported, and its other version.
type tested struct {
	id      string
	index   table.BucketIndex
	total   backtest.Bucket
	against *against
}

type against struct {
	id                   string
	index                table.BucketIndex // unless it is recorded
	total                backtest.Bucket
	pair                 backtest.Pair
	runUsers, otherUsers []string
	ends                 backtest.Shares
}

func (e *Engine) newBackTest(o BackTestOptions) (*backTest, error) {
	if o.Registry == nil {
		o.Registry = e.handle
	}
	if o.Until.IsZero() {
		o.Until = e.config.Now()
	}
	if o.Workers < 0 {
		return nil, errors.New("the number of Workers is negative")
	}
	def(&o.Workers, runtime.GOMAXPROCS(0))
	b := &backTest{engine: e, options: o, until: table.At(o.Until), registry: o.Registry.Tables()}
	if len(o.Buckets) == 0 {
		for i := range b.registry.Buckets {
			o.Buckets = append(o.Buckets, b.registry.Buckets[i].ID)
		}
	}
	compares := o.Against != BackTestAgainst{}
	if compares && !o.Against.Recorded {
		b.other = b.registry
		if o.Against.Registry != nil {
			b.other = o.Against.Registry.Tables()
		}
	}
	var err error
	for _, id := range o.Buckets {
		index, known := b.registry.Bucket(id)
		if !known {
			return nil, fmt.Errorf("bucket %q: %w", id, errNotInRegistry)
		}
		t := &tested{id: id, index: index}
		if compares {
			if t.against, err = b.otherVersion(id); err != nil {
				return nil, err
			}
		}
		b.tested = append(b.tested, t)
	}
	for _, r := range []*table.Registry{b.registry, b.other} {
		for i := 0; r != nil && i < len(r.Buckets); i++ {
			if r.Buckets[i].Kind == table.Manual {
				b.logged = append(b.logged, r.Buckets[i].ID)
			}
		}
	}
	return b, nil
}

var errNotInRegistry = errors.New("the bucket is not in the registry that is run")

// otherVersion finds what a bucket is compared with.
func (b *backTest) otherVersion(id string) (*against, error) {
	a := &against{id: id}
	if b.options.Against.Bucket != "" {
		a.id = b.options.Against.Bucket
	}
	if b.options.Against.Recorded {
		b.logged = append(b.logged, a.id)
		return a, nil
	}
	var known bool
	if a.index, known = b.other.Bucket(a.id); !known {
		return nil, fmt.Errorf("bucket %q: %w", a.id, errNotInRegistry)
	}
	return a, nil
}

// end returns what was found.
func (b *backTest) end() BackTestResult {
	result := BackTestResult{Users: b.users, Events: b.events, Until: b.until.Time()}
	last := backtest.DayOf(b.until)
	for _, t := range b.tested {
		bucket := report(t.id, &t.total, last)
		if a := t.against; a != nil {
			v := &BackTestVersions{
				Other: report(a.id, &a.total, last), OnlyRun: a.ends.Here, OnlyOther: a.ends.There, Both: a.ends.Both,
				RunUsers: a.runUsers, OtherUsers: a.otherUsers, Days: []BackTestDiffers{},
			}
			if first, found := a.pair.First(); found {
				for i, day := range a.pair.Days(first, last) {
					if day.Here+day.There > 0 {
						v.Days = append(v.Days, BackTestDiffers{backtest.StartOf(first + int64(i)).Time(), day.Here, day.There, day.Both})
					}
				}
			}
			bucket.Against = v
		}
		result.Buckets = append(result.Buckets, bucket)
	}
	return result
}

func report(id string, total *backtest.Bucket, last int64) BackTestBucket {
	bucket := BackTestBucket{BucketID: id, Entered: total.Entered, Left: total.Left, Days: []BackTestDay{}}
	first, found := total.First()
	if !found {
		return bucket
	}
	for i, day := range total.Days(first, last) {
		bucket.Days = append(bucket.Days, BackTestDay{backtest.StartOf(first + int64(i)).Time(), day.Entered, day.Left, day.Members})
	}
	bucket.Members = bucket.Days[len(bucket.Days)-1].Members
	return bucket
}

// lists reports whether the result lists a bucket.
func (b *backTest) lists(id string) bool {
	return slices.ContainsFunc(b.tested, func(t *tested) bool { return t.id == id })
}

// few adds a user to the first of them.
func few(users []string, user string) []string {
	const most = 20
	if len(users) < most {
		users = append(users, user)
	}
	return users
}
