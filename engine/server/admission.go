package server

import (
	"compress/gzip"
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

// intake says where the requests of a route carry what admission needs: their key, and how many items they have. The zero
// value is a route whose key comes in a header, and whose body is one item.
type intake struct {
	// keys are the members of the body in which the key may be, as "api_key", or "properties.token" for one inside another.
	// The first that is found counts. Names match exactly. A key in a header or in the query has precedence.
	keys []string

	// query are the parameters of the URL in which the key may be.
	query []string

	// items is the member whose elements are the items, as "batch". If it is set, the elements of a body that is an array are
	// items, too. If it is empty, the body is one item.
	items string

	// types are the media types of bodies, beside application/json, text/plain and none.
	types []string

	// compression is the parameter of the URL which says "gzip" or "gzip-js" where Content-Encoding says nothing.
	compression string
}

// request is a request of which the body was read.
type request struct {
	*http.Request
	writer   http.ResponseWriter
	body     []byte
	envelope envelope
	key      key
	received time.Time
}

// handle reads a request, lets it in or not, and answers what is wrong with it.
func (t *tracking) handle(in intake, do func(*request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, hr *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*") // browsers send to other hosts than their page's
		r := &request{Request: hr, writer: w, received: t.engine.Now()}
		err := t.read(r)
		if err == nil {
			r.key, err = t.gate.admit(hr, writeKey, r.envelope.WriteKey)
		}
		if err == nil {
			err = do(r)
		}
		if err == nil {
			return
		}
		var p *problem.Problem
		if !errors.As(err, &p) {
			t.log.ErrorContext(r.Context(), "a request could not be done", "path", r.URL.Path, "error", err)
			p = problem.Later(http.StatusServiceUnavailable, "the events could not be stored; send them again", time.Second)
		}
		p.Answer(w)
	}
}

// read reads the body.
func (t *tracking) read(r *request) error {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil && r.Header.Get("Content-Type") != "" || !slices.Contains([]string{"", "application/json", "text/plain"}, kind) {
		return problem.New(http.StatusUnsupportedMediaType, fmt.Sprintf("the Content-Type is %q; send application/json", r.Header.Get("Content-Type")))
	}
	// Where the server cannot do this, as one of a host, it has limits of its own.
	_ = http.NewResponseController(r.writer).SetReadDeadline(time.Now().Add(t.config.Read))
	var in io.Reader = http.MaxBytesReader(r.writer, r.Body, int64(t.config.Batch))
	switch encoding := r.Header.Get("Content-Encoding"); strings.ToLower(encoding) {
	case "", "identity":
	case "gzip":
		unzipped, err := gzip.NewReader(in)
		if err != nil {
			return t.unreadable(err, "the body is not compressed by gzip")
		}
		in = unzipped
	default:
		return problem.New(http.StatusUnsupportedMediaType, fmt.Sprintf("the Content-Encoding is %q; send gzip or none", encoding))
	}
	r.body, err = io.ReadAll(io.LimitReader(in, int64(t.config.Batch)+1))
	switch {
	case err != nil:
		return t.unreadable(err, "the body cannot be read")
	case len(r.body) > t.config.Batch:
		return t.tooLarge()
	}
	r.envelope, err = readEnvelope(r.body)
	return err
}

func (t *tracking) unreadable(err error, what string) error {
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return t.tooLarge()
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return problem.New(http.StatusRequestTimeout, fmt.Sprintf("the body did not arrive within %s", t.config.Read))
	}
	return problem.New(http.StatusBadRequest, what)
}

func (t *tracking) tooLarge() *problem.Problem {
	return problem.New(http.StatusRequestEntityTooLarge, fmt.Sprintf("the body has more than %d bytes; send fewer events at once", t.config.Batch))
}
