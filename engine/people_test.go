package engine_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bucketgen/bucketgen/internal/ir"
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/refeval"
	"github.com/bucketgen/bucketgen/internal/refeval/draw"
	"github.com/bucketgen/bucketgen/internal/refeval/subject"
	"github.com/bucketgen/bucketgen/internal/resolve"
)

// The buckets of TestPeople: viewed within an hour, four views, paged ever, the same for users
// only, and one with a maximal dwell.
var peopleBuckets = &ir.File{Definitions: []ir.Definition{
	viewed("four", "v", 4, 0, true), viewed("paged", "page", 1, 0, false), viewed("recent", "v", 1, time.Hour, true),
	viewed("users", "v", 1, 0, false),
	{ID: "timed", Kind: ir.Dynamic, Anonymous: true, MaxDwell: 2 * time.Hour, Criteria: viewed("", "m", 1, 0, true).Criteria},
}}

func viewed(id, name string, count int, window time.Duration, anonymous bool) ir.Definition {
	check := &ir.EventCheck{Name: name, Operator: ir.Gte, Count: count}
	if window > 0 {
		check.Window = &ir.Window{Last: window}
	}
	return ir.Definition{ID: id, Kind: ir.Dynamic, Anonymous: anonymous, Criteria: &ir.Node{Op: ir.OpEvent, Event: check}}
}

// TestPeople plays the scenarios of docs/explanation/people.md, on the engine, the simulator and
// the reference. A step is a time in hours and minutes, ids, and the name of an event: "login" is
// one that no bucket asks about; a key may follow it behind "#". What left did so by the clock,
// unless it says otherwise. An id is a user id, or begins "a:" for an anonymous id and "e:"
// for an e-mail address. An exclamation mark is for a sender who is not trusted.
func TestPeople(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, steps, want string }{
		{
			"A1: a stay of a visitor goes on after a sign-up",
			"0:00 a:1 v; 0:01 u1+a:1 login; 0:02 u1+a:1 v",
			"0:00 u1 entered recent 1; 0:01 u1 entered users 1; 1:02 u1 left recent 1 by criteria",
		},
		{
			"A2: what a user and a visitor did counts together after a sign-in",
			"0:00 u1 v; 0:00 u1 v; 0:00 a:1 v; 0:00 a:1 v; 0:01 u1+a:1 login; 0:10 u1 v",
			"0:00 a:1 entered recent 1; 0:00 u1 entered recent 1; 0:00 u1 entered users 1; 0:01 a:1 left recent 1 by merged at an event, suppressed; " +
				"0:01 u1 entered four 1; 1:10 u1 left recent 1 by criteria",
		},
		{
			"A3: an id that two users have used belongs to neither",
			"0:00 u1+a:1 login; 0:01 a:1 page; 0:02 u2+a:1 login; 0:03 a:1 v",
			"0:01 u1 entered paged 1; 0:03 s:1 entered recent 1; 1:03 s:1 left recent 1 by criteria",
		},
		{
			"A4: a user who signs out gets a new id, and the next user's past is not theirs",
			"0:00 u1+a:1 login; 0:01 a:2 page; 0:02 u2+a:2 login",
			"0:02 u2 entered paged 1",
		},
		{
			"A5: an id that stands for no one is ignored",
			"0:00 undefined+a:1 v; 0:01 undefined+a:2 v; 0:02 undefined v",
			"0:00 a:1 entered recent 1; 0:01 a:2 entered recent 1; 1:00 a:1 left recent 1 by criteria; 1:01 a:2 left recent 1 by criteria",
		},
		{
			"A7: an address is one however it is written, and a browser claims none",
			"0:00 e: Bob@Example.com v; 0:01 e:bob@example.COM v",
			"0:00 e:bob@example.com entered recent 1; 0:00 e:bob@example.com entered users 1; 1:01 e:bob@example.com left recent 1 by criteria",
		},
		{
			"A8: an address stays its first user's",
			"0:00 e:e@x v; 0:01 u9+e:e@x login; 0:02 u8+e:e@x login; 0:03 e:e@x page",
			"0:00 u9 entered recent 1; 0:00 u9 entered users 1; 0:03 u9 entered paged 1; 1:00 u9 left recent 1 by criteria",
		},
		{
			"A9: ids of different kinds never collide",
			"0:00 same v; 0:01 a:same v; 0:02 a:same v",
			"0:00 same entered recent 1; 0:00 same entered users 1; 0:01 a:same entered recent 1; 1:00 same left recent 1 by criteria; " +
				"1:02 a:same left recent 1 by criteria",
		},
		{
			"A11: an event that is sent again once the visitor is a user is one event",
			"0:00 a:1 v#m; 0:01 u1+a:1 v#m; 0:02 a:1 v#m; 0:03 u1 v; 0:04 u1 v",
			"0:00 u1 entered recent 1; 0:01 u1 entered users 1; 1:04 u1 left recent 1 by criteria",
		},
		{
			"A13, h04: a visitor leaves by the clock",
			"0:00 a:1 v",
			"0:00 a:1 entered recent 1; 1:00 a:1 left recent 1 by criteria",
		},
		{
			"A13, h12: a visitor leaves at the end of the maximal dwell",
			"0:00 a:1 m",
			"0:00 a:1 entered timed 1; 2:00 a:1 left timed 1 by maxDwell",
		},
		{
			"A13, h10: two buckets have both a user and a visitor",
			"0:00 u1 v; 0:00 u1 m; 0:00 a:1 v; 0:00 a:1 m",
			"0:00 a:1 entered recent 1; 0:00 a:1 entered timed 1; 0:00 u1 entered recent 1; 0:00 u1 entered timed 1; 0:00 u1 entered users 1; " +
				"1:00 a:1 left recent 1 by criteria; 1:00 u1 left recent 1 by criteria; 2:00 a:1 left timed 1 by maxDwell; 2:00 u1 left timed 1 by maxDwell",
		},
		{
			"A12: a visitor who was silent for 30 days ends then, and the id is that of another",
			"0:00 a:1 v; 1:00 a:1 v; 1:00 a:1 v; 1:00 a:1 v; 721:00 a:1 page; 1441:01 a:1 v; 1441:01 a:1 v; 1441:01 a:1 v; 1441:02 a:1 v",
			"0:00 a:1 entered recent 1; 1441:00 a:1 left four 1 by expired; 1441:01 a:1 entered recent 1; 1441:02 a:1 entered four 1; " +
				"1442:02 a:1 left recent 1 by criteria; 1:00 a:1 entered four 1; 2:00 a:1 left recent 1 by criteria",
		},
		{
			"a visitor who got a name does not end, nor one who became a lead",
			"0:00 a:1 v; 0:00 a:1 v; 0:00 a:1 v; 0:00 a:1 v; 0:01 u1+a:1 login; 0:02 e:e@x+a:2 v; 1441:00 a:1 login; 1441:00 a:2 v",
			"0:00 u1 entered four 1; 0:00 u1 entered recent 1; 0:01 u1 entered users 1; 0:02 e:e@x entered recent 1; 0:02 e:e@x entered users 1; " +
				"1441:00 e:e@x entered recent 2; 1442:00 e:e@x left recent 2 by criteria; 1:00 u1 left recent 1 by criteria; 1:02 e:e@x left recent 1 by criteria",
		},
		{
			"an id that users share stays so after its contact has ended",
			"0:00 u1+a:1 login; 0:01 u2+a:1 login; 0:02 a:1 v; 1000:00 a:1 v; 1000:01 u3+a:1 v",
			"0:02 s:1 entered recent 1; 1000:00 s:1 entered recent 1; 1000:01 u3 entered recent 1; 1000:01 u3 entered users 1; " +
				"1001:00 s:1 left recent 1 by criteria; 1001:01 u3 left recent 1 by criteria; 1:02 s:1 left recent 1 by criteria",
		},
		{
			"a browser merges no lead",
			"0:00 e:e@x+a:1 v; 0:01 !u1+a:1 login; 0:02 a:1 page; 0:03 u1+a:1 login",
			"0:00 u1 entered recent 1; 0:00 u1 entered users 1; 0:02 u1 entered paged 1; 1:00 u1 left recent 1 by criteria",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			steps := peopleSteps(t, test.steps)
			until := steps[len(steps)-1].At.Add(9 * draw.Hour)
			want := refeval.Run(peopleBuckets, steps, until)
			if diff := cmp.Diff(strings.Split(test.want, "; "), describePeople(want)); diff != "" {
				t.Errorf("the reference differs (-want +got):\n%s", diff)
			}
			simulated, err := subject.Simulate(peopleBuckets, steps, until)
			if err != nil {
				t.Fatal(err)
			}
			if diff := refeval.Diff(want, simulated); diff != "" {
				t.Errorf("the simulator differs\n%s", diff)
			}
			stored, err := subject.Engine(t.Context(), pgtest.New(t), peopleBuckets, steps, until, subject.Manner{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := refeval.Diff(want, stored); diff != "" {
				t.Errorf("the engine differs\n%s", diff)
			}
		})
	}
}

func peopleSteps(t *testing.T, text string) []refeval.Action {
	t.Helper()
	var steps []refeval.Action
	for line := range strings.SplitSeq(text, "; ") {
		at, rest, _ := strings.Cut(line, " ")
		last := strings.LastIndexByte(rest, ' ')
		name, key, _ := strings.Cut(rest[last+1:], "#")
		s := refeval.Action{Op: refeval.Ingest, Name: name, Key: key}
		var hours, minutes int
		if _, err := fmt.Sscanf(at, "%d:%d", &hours, &minutes); err != nil {
			t.Fatal(err)
		}
		s.At = draw.Start.Add(time.Duration(hours)*draw.Hour + time.Duration(minutes)*time.Minute)
		ids, untrusted := strings.CutPrefix(rest[:last], "!")
		s.Untrusted = untrusted
		for id := range strings.SplitSeq(ids, "+") {
			switch kind, value, _ := strings.Cut(id, ":"); {
			case strings.HasPrefix(id, "a:"):
				s.Anonymous = value
			case strings.HasPrefix(id, "e:"):
				s.Email = value
			default:
				s.User = kind
			}
		}
		steps = append(steps, s)
	}
	return steps
}

func describePeople(h *refeval.History) []string {
	var lines []string
	for _, made := range h.Transitions {
		passed := made.At.Sub(draw.Start)
		line := fmt.Sprintf("%d:%02d %s %s %s %d", int(passed.Hours()), int(passed.Minutes())%60, shortName(made.User), made.Kind, made.Bucket, made.EntryCount)
		if made.Reason != "" {
			line += " by " + made.Reason
		}
		if made.Kind == "left" && made.Source != "clock" {
			line += " at an event"
		}
		if made.Suppressed {
			line += ", suppressed"
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return lines
}

func shortName(name string) string {
	switch kind, value := resolve.Parse(name); kind {
	case resolve.User:
		return value
	case resolve.Shared:
		_, value = resolve.Parse(value)
		return "s:" + value
	default:
		return kind[:1] + ":" + value
	}
}
