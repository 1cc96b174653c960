package studio

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"

	"github.com/bucketgen/bucketgen/engine/server/client"
	"github.com/bucketgen/bucketgen/engine/studio/internal/view"
)

// nothing answers requests for pages that there are none of.
func (p *Page) nothing(a *ask) error {
	a.as("No such page", "")
	return a.write(http.StatusNotFound, view.Layout(a.page, view.Nothing(a.page)))
}

// overview lists the buckets.
func (p *Page) overview(a *ask) error {
	a.as("Buckets", "buckets")
	if a.page.Person.Masked {
		return a.show(view.Exact(a.page))
	}
	list := &view.Box[view.BucketList]{}
	got, err := bucketList(a)
	if list.Value = got; err != nil {
		list.Problem = problemOf(err)
	}
	if a.part() == "buckets" {
		if list.Problem != nil {
			return list.Problem
		}
		if view.Edition(list.Value) == a.query("since") {
			a.w.WriteHeader(http.StatusNoContent) // the page has it
			return nil
		}
		return a.write(http.StatusOK, view.Buckets(a.page, list))
	}
	return a.show(view.Overview(a.page, list))
}

// onPage is how many lines a page of a list has.
const onPage = 50

// refreshAge is how many seconds old what a page refreshes may be: the API reads it once for all
// viewers, and as often as that takes little of the time.
const refreshAge = 10

func bucketList(a *ask) (view.BucketList, error) {
	params := client.ListBucketsParams{
		Q: a.query("q"), State: client.BucketState(a.query("state")), Kind: client.ListBucketsParamsKind(a.query("kind")),
		Sort: client.ListBucketsParamsSort(cmp.Or(a.query("sort"), "size")), Order: client.ListBucketsParamsOrder(a.query("order")),
		Limit: onPage, After: a.query("after"),
	}
	if a.part() != "" {
		params.MaxAge = refreshAge
	}
	if params.Order == "" && params.Sort != client.ListBucketsParamsSortName {
		params.Order = client.ListBucketsParamsOrderDesc
	}
	list := view.BucketList{Sort: string(params.Sort), Down: params.Order == client.ListBucketsParamsOrderDesc}
	got, err := a.api.ListBuckets(a.ctx, params)
	if err != nil {
		return list, err
	}
	list.Total, list.Next, list.AsOf = got.Total, got.Next, got.AsOf
	for i := range got.Buckets {
		list.Rows = append(list.Rows, rowOf(&got.Buckets[i]))
	}
	return list, nil
}

func rowOf(b *client.BucketRow) view.BucketRow {
	row := view.BucketRow{
		ID: b.ID, Name: b.Name, Description: b.Description, Members: b.Members, Trend: b.Trend, Entered: b.Today.Entered, Left: b.Today.Left,
		State: stateWords[b.State], Overdue: b.Overdue, Timed: b.Timed,
	}
	if b.State == client.BucketStateFollowing {
		row.State.Words = fmt.Sprintf("following %.0f %%", 100*b.Followed)
	}
	if b.Manual {
		row.Kind = "manual"
	}
	return row
}

// stateWords describe the states of buckets.
var stateWords = map[client.BucketState]view.State{
	client.BucketStateLive:      {Icon: "ok", Words: "live"},
	client.BucketStateFollowing: {Icon: "wait", Words: "following"},
	client.BucketStatePaused:    {Icon: "pause", Words: "paused"},
	client.BucketStateOther:     {Icon: "warn", Words: "other definition"},
	client.BucketStateGone:      {Icon: "warn", Words: "gone, with members"},
}

// stateOf returns the state of a bucket.
func stateOf(paused, other bool) view.State {
	switch {
	case other:
		return view.State{Icon: "warn", Words: "other definition"}
	case paused:
		return view.State{Icon: "pause", Words: "paused"}
	default:
		return view.State{Icon: "ok", Words: "live"}
	}
}

// strip says how the whole installation is.
func (p *Page) strip(a *ask) error {
	if a.page.Person.Masked {
		return a.write(http.StatusOK, view.Strip(a.page, nil))
	}
	got, err := a.api.GetSummary(a.ctx, client.GetSummaryParams{MaxAge: refreshAge})
	if err != nil {
		return err
	}
	return a.write(http.StatusOK, view.Strip(a.page, &got))
}

// find answers the search of all pages.
func (p *Page) find(a *ask) error {
	q := strings.TrimSpace(a.query("q"))
	found := a.page.Pages(func(title string) bool {
		return q != "" && strings.HasPrefix(strings.ToLower(title), strings.ToLower(q))
	})
	hits, err := findBuckets(a, q)
	if err != nil {
		return err
	}
	found = append(hits, found...)
	if q != "" && !a.page.Person.Masked {
		got, err := a.api.SearchUsers(a.ctx, client.SearchUsersParams{Q: q, Limit: 5})
		if err != nil {
			return err
		}
		for _, u := range got.Users {
			found = append(found, hitOf(a, &u))
		}
	}
	if q != "" {
		found = append(found, view.Hit{Kind: "user", Name: q, Detail: "open the user of this id", Address: a.page.User(q)})
	}
	return a.write(http.StatusOK, view.Find(a.page, q, found))
}

// findBuckets lists buckets whose name or id has a text.
func findBuckets(a *ask, q string) ([]view.Hit, error) {
	if a.page.Person.Masked {
		return []view.Hit{{Kind: "bucket", Name: q, Detail: "open the bucket of this id", Address: a.page.Bucket(q)}}, nil
	}
	const most = 8
	got, err := a.api.ListBuckets(a.ctx, client.ListBucketsParams{Q: q, Sort: client.ListBucketsParamsSortSize, Order: client.ListBucketsParamsOrderDesc, Limit: most, MaxAge: refreshAge})
	if err != nil {
		return nil, err
	}
	hits := make([]view.Hit, len(got.Buckets))
	for i, b := range got.Buckets {
		hits[i] = view.Hit{Kind: "bucket", Name: b.Name, Detail: view.Plural(b.Members, "member"), Address: a.page.Bucket(b.ID)}
	}
	return hits, nil
}
