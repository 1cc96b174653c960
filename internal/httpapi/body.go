package httpapi

import (
	"bufio"
	"compress/gzip"
	"errors"
	"io"
	"sync"
	"time"
)

// body reads the body of a request as it arrives. Its bytes are charged before they are allocated,
// and its items are counted before anything is made of them.
type body struct {
	source *source
	in     io.Reader // what source gives, decompressed
	zip    *zip      // nil if it is not compressed
	lease  lease     // what text and zip hold

	text  []byte
	spare bool // text comes from spares, and goes back there if nothing becomes of the body
	scan  *scanner
	limit int // bytes of text
	items int // that there may be
	known int // bytes of text that there are going to be; 0 if that is not known
}

// The errors of a body, besides those of its source.
var (
	errLarge = errors.New("the body is too large")
	errMany  = errors.New("the body has too many items")
	errZip   = errors.New("the body is not compressed by gzip")
	errAfter = errors.New("something follows the compressed body")
)

const (
	firstRead = 4 << 10  // bytes that a body holds whose size is not known
	zipRead   = 1 << 10  // bytes that are decompressed at once
	bodyBytes = 2 << 10  // bytes that are needed to read a body, beside its text
	zipBytes  = 48 << 10 // what it takes to decompress
	zipShare  = 4        // what a compressed body may have of the bytes of one without a key, as a divisor
)

// source is where a body comes from.
type source struct {
	io.Reader

	left  int           // bytes that may come
	spent *worktime     // bears the time that is spent on what came; nil for a body with a known key
	since time.Time     // when something came last
	used  time.Duration // used is what was spent on what came
	taken time.Duration // taken is what spent bore for it
}

// Read reads what arrives.
func (s *source) Read(b []byte) (int, error) {
	if err := s.spend(); err != nil {
		return 0, err
	}
	if s.left <= 0 {
		return 0, errLarge
	}
	if len(b) > s.left {
		b = b[:s.left]
	}
	n, err := s.Reader.Read(b)
	s.left -= n
	if s.spent != nil {
		s.since = time.Now()
	}
	return n, err
}

// spend charges the time since something came last, as far as it is beyond the price of the body.
// Waiting for more is free.
func (s *source) spend() error {
	if s.spent == nil {
		return nil
	}
	if s.since.IsZero() {
		return nil
	}
	s.used += time.Since(s.since)
	s.since = time.Time{}
	over := s.used - s.taken
	if over <= 0 {
		return nil
	}
	s.taken += over
	if !s.spent.take(over) {
		return errFull
	}
	return nil
}

// refund returns what a body cost before its key was known. From then on the key bears its costs.
func (s *source) refund() {
	s.spent.give(s.taken)
	s.spent, s.taken = nil, 0
}

// worktime bounds the processor's time for all requests without a known key together. Safe for
// concurrent use.
type worktime struct {
	most time.Duration // most is Config.KeylessWork

	mu   sync.Mutex
	left time.Duration
	at   time.Time
}

// These prices are no settings: they are estimates of what this code costs, and an operator who has
// a faster machine raises Config.KeylessWork.
const (
	// workShare is the part of each second that refills the time, as a divisor: 5 % of a processor
	// in the long run, whatever is let in at once.
	workShare = 20

	// bodyWork is the price of a body of any content: waiting for it, watching its client, and
	// looking its key up. It is an estimate; time beyond the price is measured and charged as well.
	bodyWork = 100 * time.Microsecond

	// zipWork is the further price of a compressed body. BenchmarkKeylessZip measures what the
	// largest one takes, and what is beyond the price is charged afterwards.
	zipWork = 300 * time.Microsecond
)

// open takes the price of a body before anything of it is read, and reports whether there was
// enough left.
func (w *worktime) open(price time.Duration) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.refill(); w.left < price {
		return false
	}
	w.left -= price
	return true
}

// take takes a time that a body cost beyond its price, and reports whether there was enough left.
func (w *worktime) take(spent time.Duration) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.refill()
	w.left -= spent
	return w.left >= 0
}

// give returns a time.
func (w *worktime) give(spent time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.refill()
	w.left = min(w.left+spent, w.most)
}

// refill adds what has come in since the last time. The caller holds the lock.
func (w *worktime) refill() {
	now := time.Now()
	w.left = min(w.left+now.Sub(w.at)/workShare, w.most)
	w.at = now
}

// zip decompresses.
type zip struct {
	buffer bufio.Reader
	reader gzip.Reader
	begun  bool
}

// zips are those that are not in use: each takes zipBytes.
var zips = sync.Pool{New: func() any { return &zip{buffer: *bufio.NewReaderSize(nil, zipRead)} }}

// unzip decompresses the body by gzip.
func (b *body) unzip() error {
	if !b.lease.grow(zipBytes) {
		return errFull
	}
	b.zip = zips.Get().(*zip) //nolint:forcetypeassert // nothing else is in the pool
	b.zip.buffer.Reset(b.source)
	b.zip.begun = false
	b.in = b.zip
	return nil
}

// Read reads what was compressed: one member, with nothing behind it.
func (z *zip) Read(b []byte) (int, error) {
	if !z.begun {
		if err := z.reader.Reset(&z.buffer); err != nil {
			if errors.Is(err, gzip.ErrHeader) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				err = errZip
			}
			return 0, err
		}
		z.reader.Multistream(false) // which takes time without giving anything, if they are empty
		z.begun = true
	}
	n, err := z.reader.Read(b)
	if n > 0 || !errors.Is(err, io.EOF) {
		return n, err
	}
	if _, err := z.buffer.Peek(1); !errors.Is(err, io.EOF) {
		if err == nil {
			err = errAfter
		}
		return 0, err
	}
	return 0, io.EOF
}

// read reads until done, or all. It reports whether that was all.
func (b *body) read(done func() bool) (bool, error) {
	for !done() {
		if err := b.room(); err != nil {
			return false, err
		}
		n, err := b.in.Read(b.text[len(b.text):cap(b.text)])
		b.scan.scan(b.text[len(b.text) : len(b.text)+n])
		b.text = b.text[:len(b.text)+n]
		switch {
		case b.scan.items > b.items:
			return false, errMany
		case len(b.text) > b.limit:
			return false, errLarge
		case errors.Is(err, io.EOF):
			return true, nil
		case err != nil:
			return false, err
		}
	}
	return false, nil
}

// room makes room for a further byte.
func (b *body) room() error {
	size := cap(b.text)
	if len(b.text) < size {
		return nil
	}
	larger := max(2*size, firstRead)
	if b.known > 0 {
		larger = max(size, b.known) + 1 // the end is noticed by what does not come
	}
	larger = min(larger, b.limit+1)
	if !b.lease.grow(int64(larger)) {
		return errFull
	}
	text := spareText(len(b.text), larger, b.source.spent != nil)
	copy(text, b.text)
	old, spare := b.text, b.spare
	b.text, b.spare = text, b.source.spent != nil
	if spare { // else it is garbage, and takes room until it is collected
		giveText(old)
		b.lease.shrink(int64(size))
	}
	return nil
}

// spares are texts of bodies from which nothing became: without a key they cost no garbage. There
// is a pool for each size.
var spares sync.Map

func spareText(length, size int, spare bool) []byte {
	if pool, known := spares.Load(size); known && spare {
		if text, ok := pool.(*sync.Pool).Get().(*[]byte); ok {
			return (*text)[:length]
		}
	}
	return make([]byte, length, size)
}

func giveText(text []byte) {
	size := cap(text)
	if size < firstRead || size&(size-1) > 0 && (size-1)&(size-2) > 0 { // of others there would be too many pools
		return
	}
	pool, known := spares.Load(size)
	if !known {
		pool, _ = spares.LoadOrStore(size, &sync.Pool{})
	}
	pool.(*sync.Pool).Put(&text) //nolint:forcetypeassert // nothing else is stored
}

// move lets another budget bear what the body holds.
func (b *body) move(to lease) error {
	if !to.grow(b.lease.bytes) {
		return errFull
	}
	b.lease.end()
	b.lease = to
	return nil
}

// drop gives up the body.
func (b *body) drop() {
	b.close()
	if b.spare {
		giveText(b.text)
	}
	b.text, b.spare = nil, false
	b.lease.end()
}

// close returns what was needed for reading, once all is read. It may be called again.
func (b *body) close() {
	if b.zip == nil {
		return
	}
	b.zip.buffer.Reset(nil)
	zips.Put(b.zip)
	b.zip, b.in = nil, nil
	b.lease.shrink(zipBytes)
}
