package bucket_test

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/internal/ir"
)

// line returns the line of its caller.
func line() int {
	pc := make([]uintptr, 1)
	runtime.Callers(2, pc)
	frame, _ := runtime.CallersFrames(pc).Next()
	return frame.Line
}

// TestPositions checks that every condition knows its line in the source, for each way to build
// one.
func TestPositions(t *testing.T) {
	t.Parallel()
	var (
		plan   = bucket.Text("plan")
		isPlan = plan.Is // a method value goes through a function that the compiler makes
		visits = bucket.Event("visit")
	)
	at := line() + 1
	criteria := bucket.All(
		plan.Is("pro"), // + 1
		plan.At("a").
			HasPrefixFold("x"), // + 3
		bucket.Number("seats").Between(1, 2),
		bucket.Not(
			bucket.Bool("b").IsTrue(), // + 6
		),
		bucket.Time("t").TraitsOnly().Today("Europe/Berlin"), // + 8
		bucket.List("tags").Length().AtLeast(2),
		plan.HasBeen("pro", bucket.Day), // + 10
		plan.Changed().
			From("free").
			Within(bucket.Day), // + 13
		isPlan("free"),
		visits.Within(time.Hour).Exists(), // + 15
		bucket.AtLeastOf(1, // + 16
			visits.Exists()), // + 17
		bucket.Sample(5, "a"), // + 18
		visits.Text("page").
			Of(visits.Last()).
			Is("a"), // + 21
		visits.
			ThenNot(visits).
			Within(time.Hour).
			Exists(), // + 25
	)
	want := []int{0, 1, 3, 4, 5, 6, 8, 9, 10, 13, 14, 15, 16, 17, 18, 21, 25}

	file := filepath.Join(t.TempDir(), "ir.json")
	if err := bucket.WriteIR(file, bucket.Var{Name: "A", Value: bucket.Define(bucket.Spec{ID: "a", Criteria: criteria})}); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	f, err := ir.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	var got []int
	var walk func(n *ir.Node)
	walk = func(n *ir.Node) {
		if filepath.Base(n.Pos.File) != "position_test.go" {
			t.Errorf("a condition was written at %s", n.Pos)
		}
		got = append(got, n.Pos.Line-at)
		for _, child := range n.Children {
			walk(child)
		}
	}
	walk(f.Definitions[0].Criteria)
	if len(got) != len(want) {
		t.Fatalf("got lines %v, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("condition %d: got line %d, want %d", i, got[i], want[i])
		}
	}
}
