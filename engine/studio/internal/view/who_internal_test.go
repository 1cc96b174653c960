package view

import (
	"strings"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/engine/server/client"
)

// TestEnteredAs shows stays of a user that began under an anonymous id, under a user id that was
// merged, and under the id by which the user goes.
func TestEnteredAs(t *testing.T) {
	t.Parallel()
	begin := time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		as   client.ID
		want string
	}{
		"a visitor's": {client.ID{Kind: "anonymous", Value: "phone"}, "for 1 d, entered as anonymous phone<"},
		"a merged":    {client.ID{Kind: "user", Value: "ada-2"}, "for 1 d, entered as user ada-2<"},
		"its own":     {client.ID{}, "for 1 d<"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var page strings.Builder
			buckets := client.UserBuckets{Buckets: []client.BucketStay{{BucketID: "pro", BucketName: "Pro", EntryCount: 1, EnteredAt: begin, EnteredAs: test.as}}}
			now := &Box[client.UserBuckets]{Value: buckets}
			if err := NowBox(Page{Site: Site{Now: begin.AddDate(0, 0, 1)}}, "ada", now).Render(t.Context(), &page); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(page.String(), test.want) {
				t.Errorf("got %s, want %s", page.String(), test.want)
			}
		})
	}
}

// TestNoticeWords checks how dead letters say which ids a notice is about.
func TestNoticeWords(t *testing.T) {
	t.Parallel()
	ada, phone := client.ID{Kind: "user", Value: "ada"}, client.ID{Kind: "anonymous", Value: "phone"}
	for want, n := range map[string]client.Notice{
		"anonymous phone → ada":              {From: phone, Into: ada},
		"ada, anonymous phone":               {Ids: []client.ID{ada, phone}},
		"ada, ada, ada, ada, ada and 1 more": {Ids: []client.ID{ada, ada, ada, ada, ada, phone}},
	} {
		if got := noticeWords(&n); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
