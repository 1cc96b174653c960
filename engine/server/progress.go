package server

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/bucketgen/bucketgen/internal/printable"
)

// progress shows how far something is that takes long: a bar on a terminal, a line now and then
// elsewhere.
type progress struct {
	out  io.Writer
	what string                   // is under way
	of   string                   // what it goes through
	unit string                   // of what is taken in
	bar  *progressbar.ProgressBar // nil if the output is no terminal
	size int64                    // size of the whole; negative if unknown
	now  func() time.Time

	mu    sync.Mutex
	read  int64
	began time.Time
	last  time.Time
}

// newInputProgress returns the progress through an input of size bytes, or of an unknown size if it
// is negative. It counts what was read in units.
func newInputProgress(out io.Writer, size int64, what, unit string) *progress {
	p := newProgress(out, what, "input", size, progressbar.OptionShowBytes(true))
	p.unit = unit
	return p
}

// newUserProgress returns the progress through users, whose number is not known yet.
func newUserProgress(out io.Writer, what string) *progress {
	return newProgress(out, what, "users", -1, progressbar.OptionShowCount(), progressbar.OptionShowIts(),
		progressbar.OptionSetItsString("users"), progressbar.OptionSetPredictTime(true))
}

func newProgress(out io.Writer, what, of string, size int64, options ...progressbar.Option) *progress {
	p := &progress{out: out, what: what, of: of, unit: "event", size: size, now: time.Now}
	p.began = p.now()
	p.last = p.began
	if screen, is := terminal(out); is {
		p.bar = progressbar.NewOptions64(size, append(options,
			progressbar.OptionSetWriter(screen), progressbar.OptionSetDescription(what),
			progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish(), progressbar.OptionFullWidth())...)
	}
	return p
}

// reader counts what is read of the input.
func (p *progress) reader(in io.Reader) io.Reader { return &countingReader{in, p} }

type countingReader struct {
	io.Reader
	progress *progress
}

// Read reads and counts.
func (r *countingReader) Read(b []byte) (int, error) {
	n, err := r.Reader.Read(b)
	r.progress.bytes(n)
	return n, err
}

func (p *progress) bytes(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reach(p.read + int64(n))
}

// reach says how much was gone through.
func (p *progress) reach(n int64) {
	p.read = n
	if p.bar != nil {
		_ = p.bar.Set64(n)
	}
}

// share is called with the share that was gone through, and the events that were in it.
func (p *progress) share(share float64, events int64) {
	p.mu.Lock()
	p.reach(int64(share * float64(p.size)))
	p.mu.Unlock()
	p.events(events)
}

// events is called with the number of events, or whatever it is, that were taken in so far.
func (p *progress) events(n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar != nil {
		p.bar.Describe(fmt.Sprintf("%s, %s", p.what, count(n, p.unit)))
		return
	}
	took, due := p.due()
	if !due {
		return
	}
	share := ""
	if p.size > 0 {
		share = fmt.Sprintf(", %d%% of the %s", 100*p.read/p.size, p.of)
	}
	printable.Fprintf(p.out, "%s%s, %.0f/s\n", count(n, p.unit), share, float64(n)/took.Seconds())
}

// users is called with the number of users that were gone through, and of all.
func (p *progress) users(n, all int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar != nil && p.size != all {
		p.bar.ChangeMax64(all)
	}
	p.size = all
	p.reach(n)
	if p.bar != nil {
		return
	}
	took, due := p.due()
	if !due {
		return
	}
	rate := float64(n) / took.Seconds()
	left := time.Duration(float64(all-n) / max(rate, 1) * float64(time.Second)).Round(time.Second)
	printable.Fprintf(p.out, "%s: %d of %s, %.0f/s, %s to go\n", p.what, n, count(all, "user"), rate, left)
}

// due reports whether it is time for another line, and how long all has taken.
func (p *progress) due() (took time.Duration, due bool) {
	const every = 5 * time.Second
	now := p.now()
	if now.Sub(p.last) < every {
		return 0, false
	}
	p.last = now
	return now.Sub(p.began), true
}

func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}
