package posthog_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/posthog"
)

var received = time.Date(2026, time.November, 29, 12, 0, 0, 0, time.UTC)

func read(text, sentAt string) (posthog.Alias, engine.Event, error) {
	c, err := posthog.Parse([]byte(text))
	if err != nil {
		return posthog.Alias{}, engine.Event{}, err
	}
	return c.Read(sentAt, received)
}

func TestRead(t *testing.T) {
	t.Parallel()
	event := func(name, properties string) engine.Event {
		return engine.Event{UserID: "ada", Name: name, PropertiesJSON: []byte(properties)}
	}
	for name, tc := range map[string]struct {
		text  string
		alias posthog.Alias
		want  engine.Event
	}{
		"capture": {
			`{"event":"order","distinct_id":"ada","uuid":"u1","properties":{"total":3,"$lib":"x","$set":{"a":1},"$set_once":{"b":2},"$groups":{"company":"acme"}}}`,
			posthog.Alias{},
			engine.Event{
				UserID: "ada", Name: "order", Key: "u1", PropertiesJSON: []byte(`{"total":3,"$lib":"x","$groups":{"company":"acme"}}`),
				TraitsJSON: []byte(`{"a":1}`), TraitsOnceJSON: []byte(`{"b":2}`),
			},
		},
		"pageview":      {`{"event":"$pageview","distinct_id":"ada","properties":{}}`, posthog.Alias{}, event("$pageview", "{}")},
		"no properties": {`{"event":"order","distinct_id":"ada"}`, posthog.Alias{}, engine.Event{UserID: "ada", Name: "order"}},
		"id in properties": {
			`{"event":"order","properties":{"distinct_id":"ada","token":"k","$insert_id":"i"}}`,
			posthog.Alias{},
			engine.Event{UserID: "ada", Name: "order", Key: "i", PropertiesJSON: []byte("{}")},
		},
		"identify": {
			`{"event":"$identify","distinct_id":"ada","properties":{"$lib":"x","$set":{"plan":"pro"},"$set_once":{},"$anon_distinct_id":"anon"}}`,
			posthog.Alias{From: "anon", Into: "ada"},
			engine.Event{UserID: "ada", TraitsJSON: []byte(`{"plan":"pro"}`), TraitsOnceJSON: []byte("{}")},
		},
		"identify of posthog-go": {
			`{"type":"identify","event":"$identify","distinct_id":"ada","properties":{"$lib":"posthog-go"},"$set":{"plan":"pro"}}`,
			posthog.Alias{},
			engine.Event{UserID: "ada", TraitsJSON: []byte(`{"plan":"pro"}`)},
		},
		"set":   {`{"event":"$set","distinct_id":"ada","properties":{"$set":{"a":1},"$unset":["b","c"]}}`, posthog.Alias{}, engine.Event{UserID: "ada", TraitsJSON: []byte(`{"b":null,"c":null,"a":1}`)}},
		"alias": {`{"event":"$create_alias","distinct_id":"ada","properties":{"distinct_id":"ada","alias":"ada2"}}`, posthog.Alias{From: "ada2", Into: "ada"}, engine.Event{}},
		"alias of posthog-go": {
			`{"event":"$create_alias","uuid":"u","properties":{"distinct_id":"ada","alias":"ada2"}}`,
			posthog.Alias{From: "ada2", Into: "ada"},
			engine.Event{},
		},
		"group": {
			`{"event":"$groupidentify","distinct_id":"$company_acme","properties":{"$group_type":"company","$group_key":"acme","$group_set":{"size":3},"$lib":"x"}}`,
			posthog.Alias{},
			engine.Event{UserID: "$company_acme", Name: "group", PropertiesJSON: []byte(`{"size":3,"groupId":"acme","groupType":"company"}`)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			alias, got, err := read(tc.text, "")
			if err != nil {
				t.Fatal(err)
			}
			if alias != tc.alias {
				t.Errorf("got alias %v, want %v", alias, tc.alias)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestReadTimes(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		fields, sentAt string
		ago            time.Duration
	}{
		"now":             {``, "", 0},
		"as it says":      {`,"timestamp":"2026-11-29T11:00:00Z"`, "", time.Hour},
		"corrected":       {`,"timestamp":"2026-11-30T11:00:00Z"`, "2026-11-30T12:30:00Z", 90 * time.Minute},
		"not corrected":   {`,"timestamp":"2026-11-29T11:00:00Z","properties":{"$ignore_sent_at":true}`, "2026-11-30T12:30:00Z", time.Hour},
		"by its distance": {`,"offset":1500`, "", 1500 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, got, err := read(`{"event":"order","distinct_id":"ada"`+tc.fields+`}`, tc.sentAt)
			want := received.Add(-tc.ago)
			if tc.ago == 0 {
				want = time.Time{}
			}
			if err != nil || !got.OccurredAt.Equal(want) {
				t.Errorf("got %v, %v, want %v", got.OccurredAt, err, want)
			}
		})
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`7`:                                      "is a JSON number; send an object",
		`{"distinct_id":"ada"}`:                  "event: is empty",
		`{"event":"order"}`:                      "distinct_id: is empty",
		`{"event":"order","distinct_id":"NULL"}`: `distinct_id: is "NULL", which stands for no user`,
		`{"event":"order","distinct_id":true}`:   "distinct_id: is a JSON boolean; send a string",
		`{"event":"$create_alias","distinct_id":"ada","properties":{"alias":"undefined"}}`:               `properties.alias: is "undefined"`,
		`{"event":"$create_alias","distinct_id":"ada"}`:                                                  "properties.alias: is empty",
		`{"event":"$identify","distinct_id":"ada","properties":{"$anon_distinct_id":"[object Object]"}}`: `properties.$anon_distinct_id: is "[object Object]"`,
		"{\"event\":\"order\",\"distinct_id\":\"ada\",\"properties\":{\"a\":\"\xe9\"}}":                  "properties.a: is not valid UTF-8",
		`{"event":"order","distinct_id":"ada","properties":{"$set":{"a":1,"a":2}}}`:                      "properties.$set.a: is given twice",
		`{"event":"order","distinct_id":"ada","properties":7}`:                                           "properties: is a JSON number; send an object",
		`{"event":"order","distinct_id":"ada","offset":-1}`:                                              "offset: is -1; send the milliseconds",
		`{"event":"order","distinct_id":"ada","timestamp":"soon"}`:                                       `timestamp: "soon" is no time`,
		`{"event":"$set","distinct_id":"ada","properties":{"$unset":"a"}}`:                               "properties.$unset: is a JSON string; send an array",
	} {
		if _, _, err := read(text, ""); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}
