package studio

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/bucketgen/bucketgen/engine/server/client"
	"github.com/bucketgen/bucketgen/engine/studio/internal/view"
)

// showIn answers with a tab of a bucket.
func (a *ask) showIn(b *client.BucketDetail, tab string, content templ.Component) error {
	a.as(b.Name, "buckets")
	head := view.BucketHead{
		ID: b.ID, Name: b.Name, Description: b.Description, Members: b.Members, Manual: b.Manual, Paused: b.Paused, Other: b.OtherDeployed,
		Tab: tab, State: stateOf(b.Paused, b.OtherDeployed), CSV: a.page.To("/v1/buckets/"+url.PathEscape(b.ID)+"/members.csv", nil),
	}
	return a.show(view.InBucket(a.page, head, content))
}

// bucket shows the criteria of a bucket and how it grew.
func (p *Page) bucket(a *ask) error {
	id := a.r.PathValue("bucket")
	var all boxes
	if a.part() == "funnel" {
		return p.funnel(a, id)
	}
	stats := load(&all, func() (client.BucketDetail, error) { return a.api.GetBucket(a.ctx, id) })
	if a.part() == "stats" {
		all.done()
		if stats.Problem != nil {
			return stats.Problem
		}
		return a.write(http.StatusOK, view.BucketStats(a.page, stats.Value))
	}
	growth := load(&all, func() (view.Growth, error) { return growthOf(a, id) })
	criteria := load(&all, func() (client.Criteria, error) { return a.api.GetCriteria(a.ctx, id) })
	all.done()
	if stats.Problem != nil && stats.Problem.Status == http.StatusNotFound {
		return p.gone(a, id, stats.Problem)
	}
	b := &stats.Value
	return a.showIn(b, "", view.BucketPage(a.page, stats, view.CriteriaBox(a.page, id, criteria, view.FunnelPlace(a.page, criteria.Value.Criteria, !a.page.Person.Masked)), growth, id))
}

// day is the format of dates in forms.
const day = "2006-01-02"

// growthOf reads the chart of a bucket, for the range that the query names.
func growthOf(a *ask, id string) (view.Growth, error) {
	g := view.Growth{Step: client.Step(a.query("step"))}
	if g.Step == "" {
		g.Step = client.StepDay
	}
	var err error
	if g.Zone, err = a.zone(); err != nil {
		return g, err
	}
	from, to, err := rangeOf(a)
	if err != nil {
		return g, err
	}
	sizes, err := a.api.GetSizes(a.ctx, id, client.GetSizesParams{From: from, To: to, Step: g.Step, Tz: a.query("tz")})
	if err != nil {
		return g, err
	}
	g.Points = sizes.Points
	if n := len(g.Points); n > 0 {
		g.From, g.To = g.Points[0].At.In(g.Zone).Format(day), g.Points[n-1].At.In(g.Zone).Format(day)
	}
	g.Marks = marks(a, &g)
	return g, nil
}

// rangeOf returns the times that the query names: dates, of which the last is included, times, or
// distances from now like now-7d.
func rangeOf(a *ask) (from, to time.Time, err error) {
	if from, err = timeOf(a, "from", false); err == nil {
		to, err = timeOf(a, "to", true)
	}
	return from, to, err
}

func timeOf(a *ask, name string, end bool) (time.Time, error) {
	text := a.query(name)
	if text == "" || text == "now" {
		return time.Time{}, nil
	}
	zone, err := a.zone()
	if err != nil {
		return time.Time{}, err
	}
	if at, err := time.ParseInLocation(day, text, zone); err == nil {
		if end {
			at = at.AddDate(0, 0, 1).Add(-time.Microsecond)
		}
		if end && at.After(a.page.Now) {
			return a.page.Now, nil
		}
		return at, nil
	}
	if back, is := strings.CutPrefix(text, "now-"); is {
		unit := map[string]time.Duration{"h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour}[back[len(back)-1:]]
		if n, err := parseCount(back[:len(back)-1]); err == nil && unit > 0 {
			return a.page.Now.Add(-time.Duration(n) * unit), nil
		}
	}
	for _, format := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04"} {
		if at, err := time.Parse(format, text); err == nil {
			return at, nil
		}
	}
	return time.Time{}, &client.Problem{Status: http.StatusBadRequest, Title: "Bad Request", Field: name, Detail: "is no time; write a date like 2026-11-30, a time, or now-7d"}
}

// zone returns the time zone that the query names, in which dates are meant. Defaults to UTC.
func (a *ask) zone() (*time.Location, error) {
	name := a.query("tz")
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		return time.UTC, &client.Problem{Status: http.StatusBadRequest, Title: "Bad Request", Field: "tz", Detail: "is no time zone; write a name like Europe/Berlin"}
	}
	return zone, nil
}

// marks says which deployments belong to which steps of a chart.
func marks(a *ask, g *view.Growth) map[string]string {
	got, err := a.api.ListDeployments(a.ctx, client.ListDeploymentsParams{Limit: 100})
	if err != nil {
		return nil // the chart is of use without them
	}
	all := map[string]string{}
	for _, d := range got.Deployments {
		all[g.Label(d.At)] = view.DeploymentWords(d)
	}
	return all
}

// members lists the members of a bucket.
func (p *Page) members(a *ask) error {
	id := a.r.PathValue("bucket")
	var all boxes
	stats := load(&all, func() (client.BucketDetail, error) { return a.api.GetBucket(a.ctx, id) })
	list := load(&all, func() (view.MemberList, error) { return memberList(a, id) })
	all.done()
	if stats.Problem != nil {
		return stats.Problem
	}
	if list.Value.Whole {
		list.Value.Total = stats.Value.Members
	}
	return a.showIn(&stats.Value, "/members", view.Members(a.page, id, list))
}

// memberList reads the page of the list that the query names: the newest members, those that a
// filter matches, or those of a time.
func memberList(a *ask, id string) (view.MemberList, error) {
	asOf, err := timeOf(a, "asOf", false)
	if err != nil {
		return view.MemberList{}, err
	}
	since, err := timeOf(a, "since", false)
	if err != nil {
		return view.MemberList{}, err
	}
	params := client.ListMembersParams{Limit: onPage, After: a.query("after"), AsOf: asOf}
	if asOf.IsZero() {
		params.Q, params.Source, params.EnteredAfter, params.Order = a.query("q"), client.Source(a.query("source")), since, client.ListMembersParamsOrderNewest
	}
	got, err := a.api.ListMembers(a.ctx, id, params)
	list := view.MemberList{
		Members: got.Members, Next: got.Next, AsOf: got.AsOf, Past: !asOf.IsZero(),
		Whole: asOf.IsZero() && params.Q == "" && params.Source == "" && since.IsZero(),
	}
	csv := url.Values{}
	for name, value := range map[string]string{"q": params.Q, "source": string(params.Source)} {
		if value != "" {
			csv.Set(name, value)
		}
	}
	for name, at := range map[string]time.Time{"asOf": asOf, "enteredAfter": params.EnteredAfter} {
		if !at.IsZero() {
			csv.Set(name, at.UTC().Format(time.RFC3339Nano))
		}
	}
	list.CSV = a.page.To("/v1/buckets/"+url.PathEscape(id)+"/members.csv", csv)
	return list, err
}

// transitions lists the transitions of a bucket.
func (p *Page) transitions(a *ask) error {
	id := a.r.PathValue("bucket")
	var all boxes
	stats := load(&all, func() (client.BucketDetail, error) { return a.api.GetBucket(a.ctx, id) })
	list := load(&all, func() (view.TransitionList, error) {
		from, to, err := rangeOf(a)
		if err != nil {
			return view.TransitionList{}, err
		}
		got, err := a.api.ListTransitions(a.ctx, id, client.ListTransitionsParams{
			Limit: onPage, After: a.query("after"), Kind: client.Kind(a.query("kind")), Source: client.Source(a.query("source")),
			From: from, To: to, Order: client.ListTransitionsParamsOrderDesc,
		})
		return view.TransitionList{Transitions: got.Transitions, Next: got.Next}, err
	})
	all.done()
	if stats.Problem != nil {
		return stats.Problem
	}
	return a.showIn(&stats.Value, "/transitions", view.Transitions(a.page, id, list))
}

// pause pauses a bucket.
func (p *Page) pause(a *ask) error {
	id := a.r.PathValue("bucket")
	if _, err := a.api.PauseBucket(a.ctx, id); err != nil {
		return err
	}
	return a.back("/buckets/"+id, nil, "pause")
}

// resume resumes a bucket.
func (p *Page) resume(a *ask) error {
	id := a.r.PathValue("bucket")
	if _, err := a.api.ResumeBucket(a.ctx, id); err != nil {
		return err
	}
	return a.back("/buckets/"+id, nil, "resume")
}

// changeMembers adds users to a manual bucket, or removes them.
func (p *Page) changeMembers(a *ask) error {
	id, remove := a.r.PathValue("bucket"), a.r.PostFormValue("do") == "remove"
	users := lines(a.r.PostFormValue("users"))
	if len(users) > 1000 {
		return &client.Problem{Status: http.StatusBadRequest, Title: "Bad Request", Field: "users", Detail: "has more than 1,000 ids; send them in parts"}
	}
	change := client.ChangeMembers{UserIDs: users, Remove: remove, DryRun: a.r.PostFormValue("confirmed") == ""}
	changes, err := a.api.ChangeMembers(a.ctx, id, change)
	if err != nil {
		return err
	}
	if change.DryRun {
		return p.confirmMembers(a, id, change, changes)
	}
	if remove {
		return a.back("/buckets/"+id+"/members", nil, "remove")
	}
	return a.back("/buckets/"+id+"/members", nil, "add")
}

// confirmMembers shows what a change of many members would come to, and asks whether to make it.
func (p *Page) confirmMembers(a *ask, id string, change client.ChangeMembers, changes client.MemberChanges) error {
	b, err := a.api.GetBucket(a.ctx, id)
	if err != nil {
		return err
	}
	return a.showIn(&b, "/members", view.ConfirmMembers(a.page, id, change, changes))
}

// history lists the definitions that a bucket had.
func (p *Page) history(a *ask) error {
	id := a.r.PathValue("bucket")
	var all boxes
	stats := load(&all, func() (client.BucketDetail, error) { return a.api.GetBucket(a.ctx, id) })
	definitions := load(&all, func() ([]client.Definition, error) {
		got, err := a.api.ListDefinitions(a.ctx, client.ListDefinitionsParams{Bucket: id, Limit: 200})
		slices.SortStableFunc(got.Definitions, func(a, b client.Definition) int { return cmp.Compare(b.Since, a.Since) })
		return got.Definitions, err
	})
	var audit *view.Box[client.AuditLog]
	if !a.page.Person.Masked {
		audit = load(&all, func() (client.AuditLog, error) {
			return a.api.ListAudit(a.ctx, client.ListAuditParams{Bucket: id, Limit: 20})
		})
	}
	all.done()
	if stats.Problem != nil {
		return stats.Problem
	}
	return a.showIn(&stats.Value, "/history", view.HistoryTab(a.page, definitions, audit))
}

// feeds shows what a bucket feeds, and what it needs.
func (p *Page) feeds(a *ask) error {
	id := a.r.PathValue("bucket")
	var all boxes
	stats := load(&all, func() (client.BucketDetail, error) { return a.api.GetBucket(a.ctx, id) })
	uses := load(&all, func() (client.Uses, error) { return a.api.GetUses(a.ctx, id) })
	outbox := load(&all, func() (client.Outbox, error) { return a.api.GetOutbox(a.ctx) })
	all.done()
	if stats.Problem != nil {
		return stats.Problem
	}
	return a.showIn(&stats.Value, "/reactions", view.FeedsTab(a.page, uses, outbox))
}
