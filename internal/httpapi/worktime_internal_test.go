package httpapi

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

var mostWork = Config{}.WithDefaults().KeylessWork

// TestWorktimeRefusesUnread opens more bodies at once than their price allows. What a second
// refills is little.
func TestWorktimeRefusesUnread(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := worktime{most: mostWork}
		opened := func() (n int) {
			for w.open(bodyWork) {
				n++
			}
			return n
		}
		<-time.After(time.Hour)
		if n, want := opened(), int(mostWork/bodyWork); n != want {
			t.Errorf("%d bodies are opened at once, want %d", n, want)
		}
		<-time.After(bodyWork * workShare)
		if n := opened(); n != 1 {
			t.Errorf("%d bodies are opened after the time for one, want 1", n)
		}
	})
}

// TestWorktimeOfKnownKeys opens 1,000 bodies a second for a minute, whose keys are known after 20
// ms each: their price is refunded. Without a key, no more are opened than the share of a second
// pays for.
func TestWorktimeOfKnownKeys(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := worktime{most: mostWork}
		const rate, lookup, span = 1000, 20 * time.Millisecond, 60
		opened := func(known bool) (n int) {
			<-time.After(time.Hour)
			for range span * rate {
				if w.open(bodyWork) {
					n++
					s := &source{spent: &w, taken: bodyWork}
					if known {
						time.AfterFunc(lookup, s.refund)
					}
				}
				<-time.After(time.Second / rate)
			}
			return n
		}
		if n := opened(true); n != span*rate {
			t.Errorf("%d of %d bodies with a known key are opened", n, span*rate)
		}
		share := span * int(time.Second/workShare/bodyWork)
		if n := opened(false); n > share+int(mostWork/bodyWork) {
			t.Errorf("%d bodies without a known key are opened, want %d at most", n, share+int(mostWork/bodyWork))
		}
	})
}

// TestWorktimeBeyondThePrice reads a body whose parts take longer than its price, until nothing is
// left.
func TestWorktimeBeyondThePrice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := worktime{most: mostWork}
		<-time.After(time.Hour)
		if !w.open(bodyWork) {
			t.Fatal("nothing is left at first")
		}
		s := &source{Reader: endlessReader{}, left: 1 << 20, spent: &w, taken: bodyWork}
		parts := 0
		for ; parts < 1000; parts++ {
			if _, err := s.Read(make([]byte, 1)); errors.Is(err, errFull) {
				break
			}
			<-time.After(bodyWork / 2) // what it takes to scan a part
		}
		if least, most := 2*int(mostWork/bodyWork), 3*int(mostWork/bodyWork); parts < least || parts > most {
			t.Errorf("%d parts are read, want %d to %d", parts, least, most)
		}
		s.refund()
		if w.left != mostWork {
			t.Errorf("%v are left after the refund, want %v", w.left, mostWork)
		}
	})
}

// endlessReader is a body that goes on.
type endlessReader struct{}

// Read reads a byte.
func (endlessReader) Read(b []byte) (int, error) { return min(1, len(b)), nil }

// BenchmarkKeylessZip reads a compressed body without a key, as far as one is read.
func BenchmarkKeylessZip(b *testing.B) {
	var text bytes.Buffer
	w := gzip.NewWriter(&text)
	if _, err := io.WriteString(w, `{"batch":[`+strings.Repeat("1,", 240_000)+"1]}"); err != nil {
		b.Fatal(err)
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	room, limit := newBudget(1<<20, 1<<20), Config{}.WithDefaults().KeylessBody
	for b.Loop() {
		s := &source{Reader: bytes.NewReader(text.Bytes()), left: limit, spent: &worktime{most: mostWork}, taken: time.Hour}
		read := &body{source: s, lease: lease{budget: room}, scan: newScanner(&intake{keys: []string{"writeKey"}, items: "batch"}), limit: limit, items: 1 << 20}
		if err := read.unzip(); err != nil {
			b.Fatal(err)
		}
		if _, err := read.read(func() bool { return false }); !errors.Is(err, errLarge) {
			b.Fatalf("got %v, want that it is too large", err)
		}
		read.drop()
	}
}
