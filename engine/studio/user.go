package studio

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/bucketgen/bucketgen/engine/server/client"
	"github.com/bucketgen/bucketgen/engine/studio/internal/view"
)

// user shows all about a user.
func (p *Page) user(a *ask) error {
	id := a.query("id")
	if id == "" {
		a.as("Users", "user")
		return a.show(view.UserSearch(a.page, nil, ""))
	}
	a.as(view.Named(id), "user")
	switch a.part() {
	case "explain":
		return p.explain(a, id)
	case "ids":
		return p.ids(a, id)
	case "traits":
		return p.traits(a, id)
	case "activity":
		return p.activity(a, id)
	}
	var all boxes
	now := load(&all, func() (client.UserBuckets, error) { return a.api.ListUserBuckets(a.ctx, id) })
	if a.part() == "now" {
		all.done()
		if now.Problem != nil {
			return now.Problem
		}
		return a.write(http.StatusOK, view.NowBox(a.page, id, now))
	}
	was := load(&all, func() (string, error) { return a.was(id) })
	timeline := load(&all, func() (view.TransitionList, error) {
		got, err := a.api.GetTimeline(a.ctx, id, client.GetTimelineParams{Limit: 100, After: a.query("after"), Order: client.GetTimelineParamsOrderDesc})
		return view.TransitionList{Transitions: got.Transitions, Next: got.Next}, err
	})
	imagined := imaginedOf(a)
	stops := load(&all, func() (view.Forecast, error) { return forecastOf(a, id, imagined) })
	all.done()
	if a.survivor(id, view.UserName(now.Value.UserID, now.Value.AnonymousID, now.Value.Ids)) {
		return nil
	}
	if now.Problem != nil && now.Problem.Status == http.StatusNotFound {
		a.as("Users", "user")
		return a.write(http.StatusNotFound, view.Layout(a.page, view.UserSearch(a.page, nearUsers(a, id), id)))
	}
	if now.Problem != nil && now.Problem.Status == http.StatusConflict {
		return a.show(view.DeletedUser(a.page, id))
	}
	lanes, from := lanesOf(a, timeline.Value.Transitions, nil)
	return a.show(view.UserPage(a.page, view.UserHead{ID: id, Was: was.Value}, now,
		view.ForecastBox(a.page, stops, imagined),
		view.TimelineBox(a.page, lanes, from, timeline),
		view.ExplainPlace(a.page),
		view.IDsPlace(a.page),
		view.TraitsPlace(a.page)))
}

// ids lists the ids of a user.
func (p *Page) ids(a *ask, id string) error {
	var all boxes
	got := load(&all, func() (client.UserIDs, error) { return a.api.ListUserIds(a.ctx, id, client.ListUserIdsParams{}) })
	u := load(&all, func() (client.User, error) { return a.api.GetUser(a.ctx, id) })
	all.done()
	if got.Problem != nil {
		return got.Problem
	}
	return a.write(http.StatusOK, view.IDsBox(a.page, got.Value, u.Value.Merged))
}

// traits lists the properties of a user.
func (p *Page) traits(a *ask, id string) error {
	got, err := a.api.GetUser(a.ctx, id)
	if err != nil {
		return err
	}
	return a.write(http.StatusOK, view.TraitsBox(a.page, got))
}

// activity lists the newest events of a user and what came of them, in one order.
func (p *Page) activity(a *ask, id string) error {
	got, err := a.api.ListUserActivity(a.ctx, id, client.ListUserActivityParams{Limit: onPage, After: a.query("from")})
	if err != nil {
		return err
	}
	return a.write(http.StatusOK, view.ActivityList(a.page, got))
}

// hitOf returns a user as a result of a search.
func hitOf(a *ask, u *client.FoundUser) view.Hit {
	name := view.UserName(u.UserID, u.AnonymousID, u.Ids)
	return view.Hit{Kind: "user", Name: view.Named(name), Detail: u.UserEmail, Address: a.page.User(name)}
}

// nearUsers returns users whose ids begin as an unknown one does.
func nearUsers(a *ask, id string) []view.Hit {
	if a.page.Person.Masked {
		return nil
	}
	const most = 8
	for q := id; len(q) > 1; q = q[:len(q)-1] {
		got, err := a.api.SearchUsers(a.ctx, client.SearchUsersParams{Q: q, Limit: most})
		if err != nil {
			return nil
		}
		var hits []view.Hit
		for _, u := range got.Users {
			hits = append(hits, hitOf(a, &u))
		}
		if len(hits) > 0 || len(id)-len(q) > 1 {
			return hits
		}
	}
	return nil
}

// explain says why a user is in a bucket or not: in the one that the query names, the first of
// theirs, or any.
func (p *Page) explain(a *ask, id string) error {
	var all boxes
	now := load(&all, func() (client.UserBuckets, error) { return a.api.ListUserBuckets(a.ctx, id) })
	buckets := load(&all, func() (client.Buckets, error) {
		if a.page.Person.Masked {
			return client.Buckets{}, nil
		}
		return a.api.ListBuckets(a.ctx, client.ListBucketsParams{Sort: client.ListBucketsParamsSortName, Limit: mostChoices, MaxAge: choicesAge})
	})
	all.done()
	choices := choicesOf(buckets.Value.Buckets, now.Value.Buckets, a.query("why"))
	why := a.query("why")
	switch {
	case why != "":
	case len(now.Value.Buckets) > 0:
		why = now.Value.Buckets[0].BucketID
	case len(choices) > 0:
		why = choices[0][0]
	}
	x := &view.Box[*client.Explanation]{}
	if why != "" {
		got, err := a.api.ExplainMember(a.ctx, why, id)
		if x.Value = &got; err != nil {
			x.Problem = problemOf(err)
		}
	}
	return a.write(http.StatusOK, view.ExplainBox(a.page, id, choices, why, x))
}

// The buckets that a person chooses from: the first mostChoices of all by name, as they were up to
// choicesAge seconds ago, and those of the user.
const (
	mostChoices = 200
	choicesAge  = 60
)

// choicesOf returns the ids and names of buckets to choose from, the chosen one among them.
func choicesOf(all []client.BucketRow, of []client.BucketStay, chosen string) [][2]string {
	var choices [][2]string
	known := map[string]bool{"": true}
	add := func(id, name string) {
		if !known[id] {
			known[id] = true
			choices = append(choices, [2]string{id, name})
		}
	}
	for i := range all {
		add(all[i].ID, all[i].Name)
	}
	for i := range of {
		add(of[i].BucketID, of[i].BucketName)
	}
	add(chosen, chosen)
	return choices
}

// imaginedOf returns the event that the query asks about.
func imaginedOf(a *ask) view.Imagined {
	return view.Imagined{Event: a.query("event"), Properties: a.query("properties")}
}

// forecastOf reads what happens to a user if only time passes, or after an imagined event.
func forecastOf(a *ask, id string, imagined view.Imagined) (view.Forecast, error) {
	until := a.page.Now.Add(ahead)
	if imagined.Event == "" {
		got, err := a.api.GetForecast(a.ctx, id, client.GetForecastParams{Until: until, Ticks: true})
		return view.Forecast{Stops: stopsOf(got.Transitions), Until: got.Until, Complete: got.CompleteUntil}, err
	}
	event := client.ImaginedEvent{Name: imagined.Event}
	if imagined.Properties != "" {
		if err := json.Unmarshal([]byte(imagined.Properties), &event.Properties); err != nil {
			return view.Forecast{}, &client.Problem{
				Status: http.StatusBadRequest, Title: "Bad Request", Detail: `The properties are no JSON object; write them like {"amount": 12}.`,
			}
		}
	}
	got, err := a.api.ForecastWhatIf(a.ctx, id, client.WhatIf{Events: []client.ImaginedEvent{event}, Until: until, Ticks: true})
	return view.Forecast{Stops: stopsOf(got.Transitions), Until: got.Until, Complete: got.CompleteUntil}, err
}

// ahead is how far a forecast reaches.
const ahead = 30 * 24 * time.Hour

// stopsOf groups transitions by their instants.
func stopsOf(all []client.Transition) []view.Stop {
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b client.Transition) int { return a.At.Compare(b.At) })
	var stops []view.Stop
	for _, t := range all {
		if n := len(stops); n > 0 && stops[n-1].At.Equal(t.At) {
			stops[n-1].Transitions = append(stops[n-1].Transitions, t)
		} else {
			stops = append(stops, view.Stop{At: t.At, Transitions: []client.Transition{t}})
		}
	}
	return stops
}

// lanesOf returns the lines of a timeline: events, and each bucket with the stays of the user.
func lanesOf(a *ask, transitions []client.Transition, events []time.Time) (lanes []view.Lane, from time.Time) {
	from = a.page.Now
	byBucket := map[string]*view.Lane{}
	var order []string
	transitions = slices.Clone(transitions)
	slices.SortStableFunc(transitions, func(a, b client.Transition) int { return a.At.Compare(b.At) })
	for _, t := range transitions {
		if t.At.Before(from) {
			from = t.At
		}
		lane := byBucket[t.BucketID]
		if lane == nil {
			lane = &view.Lane{Name: t.BucketName, Address: a.page.Bucket(t.BucketID)}
			byBucket[t.BucketID] = lane
			order = append(order, t.BucketID)
		}
		n := len(lane.Stays)
		switch t.Transition {
		case client.KindEntered:
			lane.Stays = append(lane.Stays, view.Period{From: t.At, Title: "since " + view.Full(t.At)})
		case client.KindLeft:
			if n == 0 || !lane.Stays[n-1].To.IsZero() { // the join is on another page
				lane.Stays = append(lane.Stays, view.Period{From: t.At})
				n++
			}
			lane.Stays[n-1].To = t.At
			lane.Stays[n-1].Title = view.Full(lane.Stays[n-1].From) + " to " + view.Full(t.At)
		default:
			lane.Ticks = append(lane.Ticks, t.At)
		}
	}
	for _, at := range events {
		if at.Before(from) {
			from = at
		}
	}
	slices.SortFunc(order, cmp.Compare)
	if len(events) > 0 {
		lanes = append(lanes, view.Lane{Name: "events", Dots: events})
	}
	for _, id := range order {
		lanes = append(lanes, *byBucket[id])
	}
	if margin := a.page.Now.Sub(from) / 50; margin > 0 {
		from = from.Add(-margin)
	}
	return lanes, from
}

// deleteUser deletes a user.
func (p *Page) deleteUser(a *ask) error {
	id := a.r.PostFormValue("id")
	if strings.TrimSpace(a.r.PostFormValue("typed")) != view.Named(id) {
		return &client.Problem{Status: http.StatusBadRequest, Title: "Not confirmed", Detail: "The id was not typed."}
	}
	if _, err := a.api.DeleteUser(a.ctx, id); err != nil {
		return err
	}
	return a.back("/user", url.Values{"id": {id}}, "delete")
}

// restoreUser restores a user.
func (p *Page) restoreUser(a *ask) error {
	id := a.r.PostFormValue("id")
	if _, err := a.api.RestoreUser(a.ctx, id); err != nil {
		return err
	}
	return a.back("/user", url.Values{"id": {id}}, "restore")
}
