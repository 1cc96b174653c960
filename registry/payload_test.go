package registry_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bucketgen/bucketgen/registry"
)

func TestPayload(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		given map[string]any
		set   func(p *registry.Payload)
		want  map[string]any
	}{
		"nothing":       {nil, func(*registry.Payload) {}, nil},
		"what is given": {map[string]any{"a": 1}, func(*registry.Payload) {}, map[string]any{"a": 1}},
		"nil sets nothing": {nil, func(p *registry.Payload) {
			p.Text(nil, "text")
			p.Number(nil, "number")
			p.Bool(nil, "bool")
			p.Time(nil, "time")
			p.List(nil, "list")
		}, nil},
		"zero values": {nil, func(p *registry.Payload) {
			p.Text(new(""), "text")
			p.Number(new(0.0), "number")
			p.Bool(new(false), "bool")
			p.Time(new(time.Time{}), "time")
			p.List([]string{}, "list")
		}, map[string]any{"text": "", "number": 0.0, "bool": false, "time": "0001-01-01T00:00:00Z", "list": []string{}}},
		"an instant is UTC": {nil, func(p *registry.Payload) {
			p.Time(new(time.Date(2026, time.January, 31, 12, 0, 0, 5000, time.FixedZone("", 3600))), "time")
		}, map[string]any{"time": "2026-01-31T11:00:00.000005Z"}},
		"over what is given": {map[string]any{"a": 1, "b": 2}, func(p *registry.Payload) { p.Text(new("x"), "a") }, map[string]any{"a": "x", "b": 2}},
		"paths": {nil, func(p *registry.Payload) {
			p.Text(new("NO"), "address", "country")
			p.Text(new("Oslo"), "address", "geo", "city")
		}, map[string]any{"address": map[string]any{"country": "NO", "geo": map[string]any{"city": "Oslo"}}}},
		"into an object that is given": {map[string]any{"address": map[string]any{"zip": "0150"}}, func(p *registry.Payload) {
			p.Text(new("NO"), "address", "country")
		}, map[string]any{"address": map[string]any{"country": "NO", "zip": "0150"}}},
		"what is no object becomes one": {map[string]any{"address": "Oslo"}, func(p *registry.Payload) {
			p.Text(new("NO"), "address", "country")
		}, map[string]any{"address": map[string]any{"country": "NO"}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := registry.NewPayload(tt.given)
			tt.set(&p)
			if d := cmp.Diff(tt.want, p.Properties()); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
		})
	}
}

// TestPayloadCopies checks that what a caller handed in stays as it was, objects inside included.
func TestPayloadCopies(t *testing.T) {
	t.Parallel()
	given := func() map[string]any { return map[string]any{"a": 1, "address": map[string]any{"zip": "0150"}} }
	own := given()
	p := registry.NewPayload(own)
	p.Number(new(2.0), "a")
	p.Text(new("NO"), "address", "country")
	if d := cmp.Diff(given(), own); d != "" {
		t.Errorf("the caller's properties changed (-want +got):\n%s", d)
	}
}
