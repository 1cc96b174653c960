// Package problem reports mistakes in requests, in the form of all errors of the HTTP API: RFC
// 9457.
package problem

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// ContentType is the content type of every error.
const ContentType = "application/problem+json"

// contentTypes is the header, shared by all answers.
var contentTypes = []string{ContentType}

// Problem is a mistake in a request. Its tags are the descriptions in its schema.
type Problem struct { //nolint:errname // so RFC 9457 calls it
	Title  string  `json:"title" doc:"The meaning of the status, the same for all problems that have it" example:"Bad Request"`
	Status int     `json:"status" doc:"The HTTP status" example:"400" minimum:"400" maximum:"599"`
	Detail string  `json:"detail,omitempty" doc:"What is wrong, and what to do" example:"is -1; it must be 1 or more"`
	Code   string  `json:"code,omitempty" doc:"A word by which programs know the problem, where the status does not say enough" example:"merge-not-allowed"`
	Field  string  `json:"field,omitempty" doc:"The parameter, or the field of the body, that is wrong" example:"limit"`
	Others []Wrong `json:"others,omitempty" nullable:"false" doc:"What else is wrong, if several things are"`

	retryAfter time.Duration
	allowed    string
	quiet      bool   // quiet leaves the challenge out
	text       []byte // text is the encoded answer of a problem that is shared; nil if it is encoded when it is sent
}

// Wrong is a further wrong field.
type Wrong struct {
	Field  string `json:"field" doc:"The parameter, or the field of the body"`
	Detail string `json:"detail" doc:"What is wrong, and what to do"`
}

// New returns a problem.
func New(status int, detail string) *Problem {
	return &Problem{Title: http.StatusText(status), Status: status, Detail: detail}
}

// Of returns a problem with a field.
func Of(status int, field, detail string) *Problem {
	p := New(status, detail)
	p.Field = field
	return p
}

// Later returns a problem that ends after a while.
func Later(status int, detail string, after time.Duration) *Problem {
	p := New(status, detail)
	p.retryAfter = after
	return p
}

// Shared encodes the answer once, for a problem that many requests share. It must not be changed
// any more.
func (p *Problem) Shared() *Problem {
	p.text = p.encode()
	return p
}

func (p *Problem) encode() []byte {
	text, _ := json.Marshal(p) //nolint:errchkjson // it has texts and numbers only
	return append(text, '\n')
}

// Allow records the methods that are allowed.
func (p *Problem) Allow(methods string) { p.allowed = methods }

// Quiet leaves out the challenge to send a key by Basic authentication, for which a browser opens a
// window of its own.
func (p *Problem) Quiet() *Problem {
	p.quiet = true
	return p
}

// Error returns the detail.
func (p *Problem) Error() string { return p.Detail }

// GetStatus returns the HTTP status. huma requires it, GetHeaders and ContentType of an error.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders returns the headers of the answer.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{}
	p.addTo(h)
	return h
}

// challenge asks for a key. All answers share it.
var challenge = []string{`Basic realm="bucketgen"`}

// addTo adds the headers of the answer. It allocates nothing for answers without a key.
func (p *Problem) addTo(h http.Header) {
	if p.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int((p.retryAfter+time.Second-1)/time.Second)))
	}
	if p.allowed != "" {
		h.Set("Allow", p.allowed)
	}
	if p.Status == http.StatusUnauthorized && !p.quiet {
		h["Www-Authenticate"] = challenge
	}
}

// ContentType returns that of every error, whatever was requested.
func (*Problem) ContentType(string) string { return ContentType }

// Answer writes a problem.
func (p *Problem) Answer(w http.ResponseWriter) {
	text := p.text
	if text == nil {
		text = p.encode()
	}
	p.addTo(w.Header())
	w.Header()["Content-Type"] = contentTypes
	w.WriteHeader(p.Status)
	_, _ = w.Write(text) // the client may be gone
}
