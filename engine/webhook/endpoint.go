package webhook

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bucketgen/bucketgen/engine"
)

// Endpoint is where transitions are posted to.
type Endpoint struct {
	No   int    `json:"no"`   // given when it is made
	Name string `json:"name"` // unique, and no number
	URL  string `json:"url"`  // http or https

	Buckets []string      `json:"buckets,omitempty"` // ids of those whose transitions are posted; none: all of them
	Kinds   []engine.Kind `json:"kinds"`             // that are posted; none when it is made: all those of transitions

	// Batch is how many transitions one webhook carries at most, 2 to 100, for receivers that read
	// the type bucket.batch. Defaults to 0, as 1 is, too: each transition comes by itself.
	Batch int `json:"batch,omitempty"`

	CreatedAt      time.Time `json:"createdAt"`
	DisabledAt     time.Time `json:"disabledAt,omitzero"`      // zero: it is enabled
	DisabledReason string    `json:"disabledReason,omitempty"` // like "answered 410 Gone"

	Secret string `json:"secret,omitempty"` // that receivers verify by; only when it has just been made
}

// maxBatch is how many transitions one webhook carries at most.
const maxBatch = 100

// The kinds of transitions, and of notices, which an endpoint gets if it names them.
var (
	kinds   = []engine.Kind{engine.Entered, engine.Left, engine.Dwell}
	notices = []engine.Kind{engine.Merged, engine.Erased}
)

// Subscriptions returns the names under which its webhooks wait in the outbox, and by which
// [engine.Outbox.DeadLetters] finds those that were given up: one for all buckets, or one for each
// of its own and one for notices.
func (e Endpoint) Subscriptions() []string {
	name := "webhook:" + strconv.Itoa(e.No)
	if len(e.Buckets) == 0 {
		return []string{name}
	}
	all := make([]string, len(e.Buckets), len(e.Buckets)+1)
	for i, id := range e.Buckets {
		all[i] = name + ":" + id
	}
	return append(all, name+"::notices")
}

// kindsOf returns the kinds of each of its subscriptions.
func (e Endpoint) kindsOf() [][]engine.Kind {
	all := slices.Repeat([][]engine.Kind{e.Kinds}, len(e.Subscriptions()))
	if len(e.Buckets) > 0 {
		ofNotices := func(k engine.Kind) bool { return slices.Contains(notices, k) }
		own := slices.DeleteFunc(slices.Clone(e.Kinds), ofNotices)
		all = slices.Repeat([][]engine.Kind{own}, len(all))
		all[len(all)-1] = slices.DeleteFunc(slices.Clone(e.Kinds), func(k engine.Kind) bool { return !ofNotices(k) })
	}
	return all
}

// EndpointError says that an endpoint cannot be as it was asked for.
type EndpointError struct {
	Field string // name, url, batch or kinds
	Err   error  // its text begins with the field
}

// Error returns what is wrong.
func (e *EndpointError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *EndpointError) Unwrap() error { return e.Err }

// checked returns an endpoint as it can be made, or an [*EndpointError].
func (e Endpoint) checked(allowPrivate bool) (Endpoint, error) {
	c, err := e.completed(allowPrivate)
	if err != nil {
		field, _, _ := strings.Cut(err.Error(), " ")
		return c, &EndpointError{field, err}
	}
	return c, nil
}

// completed returns an endpoint with its defaults, or says what cannot be meant.
func (e Endpoint) completed(allowPrivate bool) (Endpoint, error) {
	e.Name = strings.TrimSpace(e.Name)
	_, err := strconv.Atoi(e.Name)
	switch {
	case e.Name == "":
		return e, errors.New("name is empty; say what the endpoint is for")
	case err == nil:
		return e, fmt.Errorf("name is %q, which would be taken for a number; say what the endpoint is for", e.Name)
	case len(e.Name) > 255 || strings.ContainsFunc(e.Name, func(r rune) bool { return r < ' ' || r == '\uFFFD' }):
		return e, errors.New("name has more than 255 bytes, or characters that cannot be printed")
	}
	if err := checkURL(e.URL, allowPrivate); err != nil {
		return e, fmt.Errorf("url %w", err)
	}
	if e.Batch < 0 || e.Batch > maxBatch {
		return e, fmt.Errorf("batch is %d; it must be 1 to %d", e.Batch, maxBatch)
	}
	if e.Batch == 1 {
		e.Batch = 0
	}
	e.Buckets = slices.Compact(slices.Sorted(slices.Values(e.Buckets)))
	if len(e.Kinds) == 0 {
		e.Kinds = kinds
	}
	all := slices.Concat(kinds, notices)
	for _, k := range e.Kinds {
		if !slices.Contains(all, k) {
			return e, fmt.Errorf("kinds has %q; it must be of entered, left, dwell, merged and erased", k)
		}
	}
	e.Kinds = slices.DeleteFunc(all, func(k engine.Kind) bool { return !slices.Contains(e.Kinds, k) })
	return e, nil
}

// checkURL says what is obviously wrong with a URL. Where a name leads is seen when it is dialled.
func checkURL(text string, allowPrivate bool) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || len(text) > 2048:
		return errors.New("cannot be read as a URL, or has more than 2048 bytes")
	case u.Scheme != "https" && u.Scheme != "http":
		return fmt.Errorf("is %q; it must begin with https:// or http://", u.Redacted())
	case u.Hostname() == "":
		return fmt.Errorf("is %q, which names no host", u.Redacted())
	case u.User != nil:
		return fmt.Errorf("is %q, with a user name; receivers know who posts by the signature", u.Redacted())
	case u.Fragment != "" || strings.HasSuffix(text, "#"):
		return fmt.Errorf("is %q, with a fragment, which is never sent", text)
	case allowPrivate:
		return nil
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if address, err := netip.ParseAddr(host); err == nil && !public(address) || host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return &privateError{host}
	}
	return nil
}
