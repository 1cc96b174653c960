package studio

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

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
	var all boxes
	list := load(&all, func() (view.BucketList, error) { return bucketList(a) })
	all.done()
	if a.part() == "buckets" {
		if list.Problem != nil {
			return list.Problem
		}
		return a.write(http.StatusOK, view.Buckets(a.page, list))
	}
	return a.show(view.Overview(a.page, list))
}

func bucketList(a *ask) (view.BucketList, error) {
	got, err := a.api.ListBuckets(a.ctx)
	if err != nil {
		return view.BucketList{}, err
	}
	list := view.BucketList{Sort: cmp.Or(a.query("sort"), "size"), Down: a.query("order") != "asc"}
	q := strings.ToLower(a.query("q"))
	for _, b := range got.Buckets {
		row := view.BucketRow{ID: b.ID, Name: b.Name, Description: b.Description, Members: b.Members, State: stateOf(b.Paused, b.OtherDeployed)}
		if b.Manual {
			row.Kind = "manual"
		}
		if strings.Contains(strings.ToLower(b.Name+" "+b.ID), q) {
			list.Rows = append(list.Rows, row)
		}
	}
	slices.SortStableFunc(list.Rows, func(a, b view.BucketRow) int {
		order := cmp.Compare(a.Members, b.Members)
		if list.Sort == "name" {
			order = cmp.Compare(a.Name, b.Name)
		}
		if list.Down {
			return -order
		}
		return order
	})
	list.Total = int64(len(list.Rows))
	return list, nil
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
	outbox, err := a.api.GetOutbox(a.ctx)
	if err != nil {
		return err
	}
	s := view.StripFacts{}
	for _, b := range outbox.Subscriptions {
		s.Waiting += b.Waiting
		s.Dead += b.Dead
	}
	return a.write(http.StatusOK, view.Strip(a.page, s))
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
	if q != "" {
		found = append(found, view.Hit{Kind: "user", Name: q, Detail: "open the user of this id", Address: a.page.User(q)})
	}
	return a.write(http.StatusOK, view.Find(a.page, q, found))
}

func findBuckets(a *ask, q string) ([]view.Hit, error) {
	got, err := a.api.ListBuckets(a.ctx)
	if err != nil {
		return nil, err
	}
	var hits []view.Hit
	for _, b := range got.Buckets {
		if strings.Contains(strings.ToLower(b.Name+" "+b.ID), strings.ToLower(q)) && len(hits) < 8 {
			hits = append(hits, view.Hit{Kind: "bucket", Name: b.Name, Detail: view.Plural(b.Members, "member"), Address: a.page.Bucket(b.ID)})
		}
	}
	return hits, nil
}
