package httpapi

import (
	"github.com/bucketgen/bucketgen/internal/posthog"
	"github.com/bucketgen/bucketgen/internal/strictjson"
)

// PostHog's SDKs send the key in the body, as api_key or token.
var (
	posthogEvents = intake{keys: []string{"api_key", "token", "properties.token"}, items: "batch", types: forms, compression: "compression"}
	posthogFlags  = intake{keys: []string{"token", "api_key"}, types: forms, compression: "compression"}
)

// posthogPaths are the paths of PostHog's capture API. Each takes an event, a list of events, or an
// object with a batch of them.
var posthogPaths = []string{"/capture", "/batch", "/e", "/i/v0/e"}

// capture takes events of PostHog's capture API in. One that is refused does not keep the others
// out.
func (t *tracking) capture(r *request) error {
	e := &r.envelope
	events, sentAt := e.Batch, e.SentAtPostHog
	switch {
	case e.Batch == nil:
		events = [][]byte{strictjson.SkipMark(r.body)}
	case e.Historical: // given by a correct clock
		sentAt = ""
	}
	items := make([]item, len(events))
	for i, raw := range events {
		items[i] = t.captured(r, raw, sentAt)
	}
	if err := t.do(r, items); err != nil {
		return err
	}
	if e.Batch == nil && items[0].problem != nil {
		return items[0].problem
	}
	return t.answer(r, items)
}

// captured reads an event.
func (t *tracking) captured(r *request, raw []byte, sentAt string) item {
	c, err := posthog.Parse(raw)
	it := item{MessageID: short(c.UUID), names: posthog.Named}
	if err == nil {
		err = t.fits(len(raw))
	}
	if err != nil {
		it.refuse(refusal(it.names(err)))
		return it
	}
	alias, ev, err := c.Read(sentAt, r.received)
	if err != nil {
		it.refuse(refusal(it.names(err)))
		return it
	}
	if alias.From != "" {
		it.effects = append(it.effects, effect{from: alias.From, into: alias.Into, alias: true})
	}
	if ev.UserID != "" {
		ev.TraitsOnly, ev.Untrusted = !t.config.StoreProperties, !r.key.Trusted()
		it.effects = append(it.effects, effect{event: ev})
	}
	return it
}

// flags answers that there are no feature flags, in the forms of all versions.
func (*tracking) flags(r *request) error {
	none := map[string]any{}
	reply(r.writer, map[string]any{
		"flags": none, "featureFlags": none, "featureFlagPayloads": none, "errorsWhileComputingFlags": false, "quotaLimited": []string{},
		"config": map[string]any{"enable_collect_everything": true}, "sessionRecording": false, "toolbarParams": none, "isAuthenticated": false,
		"supportedCompression": []string{"gzip"},
	})
	return nil
}

// routePostHog adds the routes of PostHog's API.
func (t *tracking) routePostHog(post func(path string, in intake, do func(*request) error)) {
	for _, path := range posthogPaths {
		post(path, posthogEvents, t.capture)
	}
	post("/flags", posthogFlags, t.flags)
	post("/decide", posthogFlags, t.flags)
}
