package segment_test

import (
	"testing"

	"github.com/bucketgen/bucketgen/internal/segment"
)

// BenchmarkParse reads a call as a browser's SDK sends it, without and with members to add to the
// properties.
func BenchmarkParse(b *testing.B) {
	const around = `"anonymousId":"3f1d6c3e-9f2c-4d3b-8f4e-0d6a4b1c2e3f","userId":"ada","messageId":"ajs-next-1795983838-5d41402abc4b2a76",` +
		`"timestamp":"2026-11-29T23:20:00.000Z","integrations":{},"writeKey":"bg_write_x","context":{"page":{"path":"/pricing","referrer":"",` +
		`"search":"?a=1","title":"Pricing","url":"https://example.com/pricing?a=1"},"userAgent":"Mozilla/5.0 (X11; Linux x86_64)",` +
		`"locale":"en-US","library":{"name":"analytics.js","version":"npm:next-1.84.3"},"timezone":"Europe/Berlin"},` +
		`"properties":{"total":19.9,"currency":"EUR","items":[{"sku":"a","n":1},{"sku":"b","n":2}],"coupon":null}`
	for name, text := range map[string]string{
		"track": `{"type":"track","event":"order",` + around + `}`,
		"page":  `{"type":"page","name":"Pricing",` + around + `}`,
	} {
		b.Run(name, func(b *testing.B) {
			raw := []byte(text)
			b.ReportAllocs()
			b.SetBytes(int64(len(raw)))
			for b.Loop() {
				c, err := segment.Parse(raw)
				if err == nil {
					_, err = c.Read()
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
