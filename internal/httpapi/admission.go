package httpapi

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/bucketgen/bucketgen/internal/problem"
)

// intake says where the requests of a route carry what admission needs: their key, and how many
// items they have. The zero value is a route whose key comes in a header, and whose body is one
// item.
type intake struct {
	// keys are the members of the body in which the key may be, as "api_key", or "properties.token"
	// for one inside another. The first that is found counts. Names match exactly. A key in a
	// header or in the query has precedence.
	keys []string

	// query are the parameters of the URL in which the key may be.
	query []string

	// items is the member whose elements are the items, as "batch". If it is set, the elements of a
	// body that is an array are items, too. If it is empty, the body is one item.
	items string

	// types are the media types of bodies, beside application/json, text/plain and none.
	types []string

	// compression is the parameter of the URL which says "gzip" or "gzip-js" where Content-Encoding
	// says nothing.
	compression string

	// keyless is the problem of a request without a key. [tracking.handle] sets it.
	keyless *problem.Problem
}

// request is a request that was let in, and its body.
type request struct {
	*http.Request
	writer   http.ResponseWriter
	body     []byte // whole and decompressed; within the limits, and nothing more is known of it
	items    int    // that the body has, all of which are charged to the key
	envelope envelope
	key      key
	received time.Time
	reading  *body
	work     lease
}

// handle lets a request in, reads its body, and answers what is wrong with it.
func (t *tracking) handle(in intake, do func(*request) error) http.HandlerFunc {
	in.keyless = t.keyless(&in)
	return func(w http.ResponseWriter, hr *http.Request) {
		allowOrigin(w)
		r := &request{Request: hr, writer: w, received: t.engine.Now()}
		defer r.release() // also if it breaks down
		if err := t.identify(r, &in); err != nil {
			t.finish(r, err)
			return
		}
		t.auth.around(w, hr, func(w http.ResponseWriter, hr *http.Request) {
			r.Request, r.writer, r.reading.source.Reader = hr, w, hr.Body
			err := t.admit(r, &in)
			if err == nil {
				err = do(r)
			}
			t.finish(r, err)
		})
	}
}

// finish answers a request that was not done because of err, if it is not nil.
func (t *tracking) finish(r *request, err error) {
	read := r.body != nil
	r.release()
	switch p, wrong := errors.AsType[*problem.Problem](err); {
	case err == nil:
	case wrong:
		t.auth.hold(r.writer, r.Request, r.key.No, p)
		if !read {
			r.leaveUnread()
		}
		t.auth.answer(r.writer, p)
	case r.Context().Err() != nil: // the client is gone
	default:
		t.auth.notices.failed(r.Context(), "request failed", err)
		problem.Later(http.StatusServiceUnavailable, "the events could not be stored; send them again", time.Second).Answer(r.writer)
	}
}

// identify checks the key of a request. It is in the headers or the URL, which cost no reading, or
// in the first part of the body.
func (t *tracking) identify(r *request, in *intake) error {
	secret := secretOf(r.Request)
	if secret == "" && len(in.query) > 0 {
		query := r.URL.Query()
		for _, name := range in.query {
			secret = cmp.Or(secret, query.Get(name))
		}
	}
	if secret != "" {
		if err := t.enter(r, secret); err != nil {
			return err
		}
	}
	if err := t.open(r, in); err != nil {
		return err
	}
	if secret == "" {
		return t.introduce(r, in)
	}
	return nil
}

// admit lets a request with a known key in. What it costs is charged to its key before it is done.
func (t *tracking) admit(r *request, in *intake) error {
	if in.items != "" && t.auth.unread.now(r.key) {
		return problem.Later(http.StatusTooManyRequests, fmt.Sprintf("too many batches are more than the key %q lets in; send fewer", r.key.Name), time.Second)
	}
	r.deadline(time.Now().Add(t.config.Read))
	if err := t.read(r); err != nil {
		return err
	}
	r.deadline(time.Time{}) // from here on the client is watched, and may send nothing for as long as it likes
	if err := t.auth.charge(r.key, r.items); err != nil {
		return err
	}
	if err := t.room(r); err != nil {
		return err
	}
	return r.parse()
}

// enter checks a key.
func (t *tracking) enter(r *request, secret string) error {
	var err error
	if r.key, err = t.auth.admit(r.Request, writeKey, secret, "events"); err != nil {
		return err
	}
	if r.key.Trusted() && t.auth.cross.Check(r.Request) != nil {
		return problem.New(http.StatusForbidden, fmt.Sprintf("%q is %s %s key, which pages of other origins must not have; use a write key",
			r.key.Name, article(r.key.Kind), r.key.Kind))
	}
	return nil
}

// open prepares to read the body, of which nothing is read yet.
func (t *tracking) open(r *request, in *intake) error {
	if kind := r.Header.Get("Content-Type"); !in.takes(kind) {
		return problem.New(http.StatusUnsupportedMediaType, fmt.Sprintf("the Content-Type is %q; send application/json", short(kind)))
	}
	if r.ContentLength > int64(t.config.Batch) {
		return t.tooLarge()
	}
	zipped, err := r.zipped(in)
	if err != nil {
		return err
	}
	b := &body{source: &source{Reader: r.Body, left: t.config.Batch + 1}, limit: t.config.Batch, items: t.config.Items}
	b.in, b.lease = b.source, lease{budget: t.auth.bodies, holder: r.key.No}
	if r.key.No == keyless {
		if r.ContentLength == 0 {
			return in.keyless
		}
		price := bodyWork
		if zipped {
			price += zipWork
			b.source.left = t.config.KeylessBody/zipShare + 1
		}
		if !t.auth.worktime.open(price) {
			return busy
		}
		b.lease.budget, b.limit = t.auth.keyless, t.config.KeylessBody
		b.source.spent, b.source.taken = &t.auth.worktime, price
	}
	r.reading, b.scan = b, newScanner(in)
	if !b.lease.grow(bodyBytes) {
		return busy
	}
	if zipped {
		return t.unreadable(b.unzip())
	}
	if r.key.No != keyless || r.ContentLength < firstRead {
		b.known = int(max(0, r.ContentLength))
	}
	return nil
}

// zipped reports whether the body is compressed by gzip.
func (r *request) zipped(in *intake) (bool, error) {
	encoding := strings.ToLower(r.Header.Get("Content-Encoding"))
	if encoding == "" && in.compression != "" && strings.HasPrefix(r.URL.Query().Get(in.compression), "gzip") {
		encoding = "gzip"
	}
	switch encoding {
	case "", "identity":
		return false, nil
	case "gzip":
		return true, nil
	}
	return false, problem.New(http.StatusUnsupportedMediaType, fmt.Sprintf("the Content-Encoding is %q; send gzip or none", short(encoding)))
}

// takes reports whether a Content-Type is one of a body that is read.
func (in *intake) takes(header string) bool {
	if header == "" || header == "application/json" {
		return true
	}
	kind, _, err := mime.ParseMediaType(header)
	return err == nil && (kind == "application/json" || kind == "text/plain" || slices.Contains(in.types, kind))
}

// keyless is the problem of a request to a route without a key. Many requests share it.
func (t *tracking) keyless(in *intake) *problem.Problem {
	where := "as the user name of Basic authentication, or as a Bearer token"
	if len(in.keys) > 0 {
		where += fmt.Sprintf(", or as %s in the first %d bytes of the body", in.keys[0], t.config.KeylessBody)
	}
	return problem.New(http.StatusUnauthorized, "there is no key; send it "+where).Shared()
}

// introduce reads a body until it says its key, and checks that. All requests that do so have
// little room together.
func (t *tracking) introduce(r *request, in *intake) error {
	b := r.reading
	r.deadline(time.Now().Add(t.config.KeylessRead))
	all, err := b.read(func() bool { return b.scan.key != "" })
	_ = b.source.spend() // the last part is spent already
	switch {
	case errors.Is(err, errLarge), all && b.scan.key == "":
		return in.keyless
	case errors.Is(err, os.ErrDeadlineExceeded):
		return problem.New(http.StatusRequestTimeout, fmt.Sprintf("the key did not arrive within %s", t.config.KeylessRead))
	case err != nil:
		return t.unreadable(err)
	}
	if err := t.enter(r, b.scan.key); err != nil {
		return err
	}
	b.source.refund()
	b.limit, b.spare = t.config.Batch, false
	if b.zip == nil {
		b.known = int(max(0, r.ContentLength))
	}
	if b.zip != nil {
		b.source.left += t.config.Batch - t.config.KeylessBody/zipShare
	}
	return t.unreadable(b.move(lease{budget: t.auth.bodies, holder: r.key.No}))
}

// read reads what is left of the body.
func (t *tracking) read(r *request) error {
	b := r.reading
	_, err := b.read(func() bool { return false })
	b.close()
	if err != nil {
		return t.unreadable(err)
	}
	r.body, r.items = b.text, max(1, b.scan.items) // a body of PostHog's API may be one event
	return nil
}

// parse reads what stands around calls.
func (r *request) parse() (err error) {
	r.envelope, err = readEnvelope(r.body)
	return err
}

// What is made of a body takes more than the body: a multiple of its bytes, and a constant for each
// item.
const (
	workTimes = 3
	workItem  = 4 << 10
)

// room waits for a part of what all requests may hold.
func (t *tracking) room(r *request) error {
	bytes, err := t.auth.work.wait(r.Context(), t.config.Wait, r.key.No, int64(len(r.body)*workTimes+r.items*workItem))
	if errors.Is(err, errFull) {
		return busy
	}
	r.work = lease{t.auth.work, r.key.No, bytes}
	return err
}

// release returns what the request holds.
func (r *request) release() {
	if r.reading != nil {
		r.reading.drop()
	}
	r.reading, r.body, r.envelope = nil, nil, envelope{} // the answer may have to wait
	r.work.end()
}

// deadline says until when the body must arrive; the zero time is no deadline. Where the server
// cannot do this, as one of a host, it has limits of its own.
func (r *request) deadline(at time.Time) {
	_ = http.NewResponseController(r.writer).SetReadDeadline(at)
}

// leaveUnread closes the connection of a request that is refused before its body was read, unless
// the body is small and has arrived: the server would read the rest of it to use the connection
// again.
func (r *request) leaveUnread() {
	const small, soon = 16 << 10, time.Second
	switch {
	case r.ContentLength < 0 || r.ContentLength > small:
		dropBody(r.writer)
		r.deadline(time.Now())
	default:
		r.deadline(time.Now().Add(soon))
	}
}

// dropBody makes net/http answer a request without reading the rest of its body, and close the
// connection: the answer is sent, and half a second later it stops receiving, so that the client
// sees the answer before its connection is reset. Only [http.MaxBytesReader] can say so, of a body
// that exceeds it. Where the server is another one, the header says as much.
func dropBody(w http.ResponseWriter) {
	w.Header().Set("Connection", "close")
	for {
		wrapped, is := w.(interface{ Unwrap() http.ResponseWriter })
		if !is {
			break
		}
		w = wrapped.Unwrap()
	}
	var room [2]byte
	_, _ = http.MaxBytesReader(w, io.NopCloser(strings.NewReader("..")), 1).Read(room[:])
}

// unreadable says what is wrong with a body that could not be read.
func (t *tracking) unreadable(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errFull):
		return busy
	case errors.Is(err, errMany):
		return problem.New(http.StatusRequestEntityTooLarge, fmt.Sprintf("the batch has more than %d items; send fewer at once", t.config.Items))
	case errors.Is(err, errLarge):
		return t.tooLarge()
	case errors.Is(err, os.ErrDeadlineExceeded):
		return problem.New(http.StatusRequestTimeout, fmt.Sprintf("the body did not arrive within %s", t.config.Read))
	case errors.Is(err, errZip), errors.Is(err, errAfter):
		return problem.New(http.StatusBadRequest, err.Error())
	}
	return problem.New(http.StatusBadRequest, "the body cannot be read")
}

func (t *tracking) tooLarge() *problem.Problem {
	return problem.New(http.StatusRequestEntityTooLarge, fmt.Sprintf("the body has more than %d bytes; send fewer events at once", t.config.Batch))
}

// maxText bounds the bytes of a client's text that an answer repeats.
const maxText = 400

// short cuts a text, so that an answer is no longer than what it answers gives reason to.
func short(text string) string {
	if len(text) <= maxText {
		return text
	}
	return strings.ToValidUTF8(text[:maxText], "") + "…"
}
