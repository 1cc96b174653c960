//go:build studio

package studio_test

import (
	"fmt"
	"net/http/httptest"
	"testing"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine/identity"
)

// TestBrowserMany runs the check of Studio with 10,000 buckets in Chromium.
func TestBrowserMany(t *testing.T) {
	plan := bucket.Text("plan")
	buckets := make([]bucket.Definition, 10_000)
	for i := range buckets {
		buckets[i] = bucket.Define(bucket.Spec{
			ID: fmt.Sprintf("bucket-%05d", i), Name: fmt.Sprintf("Bucket number %d of many", i), Criteria: plan.Is(fmt.Sprintf("plan-%d", i)),
		})
	}
	s := newSite(t, identity.Person{Name: "ada", Role: identity.Read}, buckets...)
	server := httptest.NewServer(s.page)
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections)
	run(t, &world{Server: server, next: &next{}}, "--test", "--test-reporter=spec", "many.test.mjs")
}
