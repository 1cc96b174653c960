package feed

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen"
)

// TestPace polls as often as the most demanding reader needs, as long as it is there.
func TestPace(t *testing.T) {
	t.Parallel()
	f := New(Deps{})
	is := func(want time.Duration) {
		t.Helper()
		if got := f.pace(); got != want {
			t.Errorf("the pace is %s, want %s", got, want)
		}
	}
	join := func(pace time.Duration) (leave func()) {
		t.Helper()
		leave, err := f.join(pace)
		if err != nil {
			t.Fatal(err)
		}
		return leave
	}
	leaveSlow, leaveOther := join(time.Second), join(time.Second)
	is(time.Second)
	leaveFast := join(0)
	is(pollGap)
	leaveFast()
	leaveFast() // once counts
	is(time.Second)
	leaveSlow()
	is(time.Second)
	leaveOther()
	is(maxPace)
	if len(f.readers) > 0 {
		t.Errorf("readers are left: %v", f.readers)
	}
}

// TestPacedWait ends a wait for the pace of the readers by what is urgent only, and the wait for
// the next poll by a commit, too.
func TestPacedWait(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name         string
		paced, early bool
		wake         func(*Feed)
		ends         bool
	}{
		{"a commit during the pace", true, false, (*Feed).wakePoller, false},
		{"a commit after the pace", false, false, (*Feed).wakePoller, true},
		{"a commit before the wait for the pace", true, true, (*Feed).wakePoller, false},
		{"a commit before the wait for a poll", false, true, (*Feed).wakePoller, true},
		{"a new reader during the pace", true, false, (*Feed).hurry, true},
		{"a new reader before the pace", true, true, (*Feed).hurry, true},
		{"a new reader after the pace", false, false, (*Feed).hurry, true},
	} {
		f := New(Deps{})
		if tc.early {
			tc.wake(f)
		}
		waiting, cancel := f.interruptible(t.Context(), time.Hour, tc.paced)
		if !tc.early {
			tc.wake(f)
		}
		if ended := waiting.Err() != nil; ended != tc.ends {
			t.Errorf("%s: the wait has ended: %v, want %v", tc.name, ended, tc.ends)
		}
		cancel()
	}
}

// TestItemJSON writes a transition once for all readers, whatever one of them does with its copy.
func TestItemJSON(t *testing.T) {
	t.Parallel()
	entry := &logEntry{Transition: bucketgen.Transition{BucketID: "pro", UserID: "ada", Kind: bucketgen.Entered}, encoded: &encoded{}}
	want, err := json.Marshal(entry.Transition)
	if err != nil {
		t.Fatal(err)
	}
	first, second := entry.Transition, entry.Transition
	first.UserID = "bob"
	one, other := Item{Transition: &first, entry: entry}, Item{Transition: &second, entry: entry}
	for _, item := range []*Item{&one, &other, {Transition: &second}} {
		if got, err := item.JSON(); err != nil || string(got) != string(want) {
			t.Errorf("got %s, %v; want %s", got, err, want)
		}
	}
}
