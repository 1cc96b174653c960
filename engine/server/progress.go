package server

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress shows how far a replay or a back-test is: a bar on a terminal, a line now and then elsewhere.
type progress struct {
	out  io.Writer
	what string                   // is under way
	of   string                   // what it goes through
	bar  *progressbar.ProgressBar // nil if the output is no terminal
	size int64                    // of that; negative if nobody knows it
	now  func() time.Time

	mu    sync.Mutex
	read  int64
	began time.Time
	last  time.Time
}

// newReplayProgress returns the progress through an input of so many bytes, or of nobody knows how many if it is negative.
func newReplayProgress(out io.Writer, size int64) *progress {
	return newProgress(out, "replay", "input", size, progressbar.OptionShowBytes(true))
}

func newProgress(out io.Writer, what, of string, size int64, options ...progressbar.Option) *progress {
	p := &progress{out: out, what: what, of: of, size: size, now: time.Now}
	p.began = p.now()
	p.last = p.began
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.bar = progressbar.NewOptions64(size, append(options,
			progressbar.OptionSetWriter(out), progressbar.OptionSetDescription(what),
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

// events is called with the number of events that were taken in so far.
func (p *progress) events(n int64) {
	const every = 5 * time.Second
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if p.bar != nil {
		p.bar.Describe(fmt.Sprintf("%s, %d events", p.what, n))
		return
	}
	if now.Sub(p.last) < every {
		return
	}
	p.last = now
	share := ""
	if p.size > 0 {
		share = fmt.Sprintf(", %d%% of the %s", 100*p.read/p.size, p.of)
	}
	fmt.Fprintf(p.out, "%d events%s, %.0f/s\n", n, share, float64(n)/now.Sub(p.began).Seconds())
}

func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}

// counter shows how many of how many are done: a bar on a terminal, a line now and then elsewhere.
type counter struct {
	out   io.Writer
	what  string
	bar   *progressbar.ProgressBar
	tty   bool
	began time.Time
	last  time.Time
}

func newCounter(out io.Writer, what string) *counter {
	c := &counter{out: out, what: what, began: time.Now()}
	c.last = c.began
	f, ok := out.(*os.File)
	c.tty = ok && term.IsTerminal(int(f.Fd()))
	return c
}

func (c *counter) at(done, all int64) {
	const every = 5 * time.Second
	if c.tty {
		if c.bar == nil {
			c.bar = progressbar.NewOptions64(all, progressbar.OptionSetWriter(c.out), progressbar.OptionSetDescription(c.what),
				progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString("users"), progressbar.OptionSetPredictTime(true),
				progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish(), progressbar.OptionFullWidth())
		}
		_ = c.bar.Set64(done)
		return
	}
	now := time.Now()
	if now.Sub(c.last) < every {
		return
	}
	c.last = now
	rate := float64(done) / now.Sub(c.began).Seconds()
	left := time.Duration(float64(all-done) / max(rate, 1) * float64(time.Second)).Round(time.Second)
	fmt.Fprintf(c.out, "%s: %d of %s, %.0f/s, %s to go\n", c.what, done, count(all, "user"), rate, left)
}

func (c *counter) end() {
	if c.bar != nil {
		_ = c.bar.Finish()
	}
}
