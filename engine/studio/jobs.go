package studio

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/bucketgen/bucketgen/engine/server/client"
	"github.com/bucketgen/bucketgen/engine/studio/internal/view"
)

// job begins a job, or reads how far it is if the query has its number.
func (a *ask) job(begin client.NewJob) (client.Job, error) {
	if id := a.number("job"); id > 0 {
		return a.api.GetJob(a.ctx, id)
	}
	return a.api.CreateJob(a.ctx, begin)
}

// box answers with the box of a job: what is shown while it waits, or its result.
func (a *ask) box(id, size string, begin client.NewJob, waiting templ.Component, result func(*client.Job) templ.Component) error {
	job, err := a.job(begin)
	if err != nil {
		return err
	}
	content := waiting
	if job.State == client.JobStateDone {
		content = result(&job)
	}
	return a.write(http.StatusOK, view.JobBox(a.page, id, size, job, content))
}

// cancel ends a job.
func (p *Page) cancel(a *ask) error {
	if err := a.r.ParseForm(); err != nil {
		return &client.Problem{Status: http.StatusBadRequest, Title: "Bad Request", Detail: "The form cannot be read."}
	}
	id, err := strconv.ParseInt(a.r.PathValue("job"), 10, 64)
	if err != nil {
		return p.nothing(a)
	}
	if _, err := a.api.CancelJob(a.ctx, id); err != nil {
		return err
	}
	http.Redirect(a.w, a.r, p.next(a.r.PostFormValue("back")), http.StatusSeeOther)
	return nil
}

// inTab answers with a tab of a bucket whose content is the result of a job, or with that content.
func (p *Page) inTab(a *ask, tab, title, about string, form templ.Component, begin client.NewJob, result func(*client.Job) templ.Component) error {
	begin.BucketID = a.r.PathValue("bucket")
	if a.part() == "result" {
		return a.box("result", "mid", begin, view.None(), result)
	}
	b, err := a.api.GetBucket(a.ctx, begin.BucketID)
	if err != nil {
		return err
	}
	return a.showIn(&b, tab, view.JobTab(a.page, title, about, form, view.JobPlace(a.page, "result", "mid")))
}

// dwell shows how long stays last.
func (p *Page) dwell(a *ask) error {
	return p.inTab(a, "/dwell", "Dwell", "how long the stays lasted that have ended", view.None(), client.NewJob{Kind: client.JobKindDwell}, func(j *client.Job) templ.Component {
		return view.DwellResult(a.page, *j.Dwell)
	})
}

// overlap shows which buckets the members share.
func (p *Page) overlap(a *ask) error {
	begin := client.NewJob{Kind: client.JobKindOverlap}
	for _, with := range a.page.Query["with"] {
		begin.With = append(begin.With, strings.Split(with, ",")...)
	}
	return p.inTab(a, "/overlap", "Overlap", "the buckets that the members share", view.None(), begin, func(j *client.Job) templ.Component {
		return view.OverlapResult(a.page, *j.Overlap, begin.With)
	})
}

// flows shows from which bucket users came, and to which they went.
func (p *Page) flows(a *ask) error {
	since, err := timeOf(a, "since", false)
	if err != nil {
		return err
	}
	begin := client.NewJob{Kind: client.JobKindFlows, Since: since.Truncate(time.Hour), WithinSeconds: a.number("within")}
	return p.inTab(a, "/flows", "Flows", "the buckets that users left before, and entered after", view.WithinForm(a.page), begin, func(j *client.Job) templ.Component {
		return view.FlowsResult(a.page, *j.Flows)
	})
}

// many is from how many users on a funnel counts a sample.
const many = 200_000

// funnel counts how many users pass each condition of a bucket.
func (p *Page) funnel(a *ask, id string) error {
	begin := client.NewJob{Kind: client.JobKindFunnel, BucketID: id, Users: 100}
	if a.number("job") == 0 {
		got, err := a.api.ListDeployments(a.ctx, client.ListDeploymentsParams{Limit: 1})
		if err != nil {
			return err
		}
		for _, d := range got.Deployments {
			if d.Users > many {
				begin.Sample = 0.02
			}
		}
	}
	criteria, err := a.api.GetCriteria(a.ctx, id)
	if err != nil {
		return err
	}
	return a.box("funnel", "", begin, view.CriteriaTree(a.page, criteria.Criteria), func(j *client.Job) templ.Component {
		return view.FunnelTree(a.page, criteria.Criteria, j)
	})
}

// backTest runs definitions of this program over the event log.
func (p *Page) backTest(a *ask) error {
	a.as("Back-test", "backtest")
	begin := client.NewJob{Kind: client.JobKindBacktest, With: []string{a.query("bucket")}, Against: a.query("against"), Recorded: a.query("against") == ""}
	if a.part() == "result" {
		return a.box("result", "high", begin, view.None(), func(j *client.Job) templ.Component { return view.BackTestResult(a.page, j) })
	}
	got, err := a.api.ListBuckets(a.ctx, client.ListBucketsParams{Kind: client.ListBucketsParamsKindDynamic, Sort: client.ListBucketsParamsSortName, Limit: 1000})
	if err != nil {
		return err
	}
	var buckets [][2]string
	for _, b := range got.Buckets {
		buckets = append(buckets, [2]string{b.ID, b.Name})
	}
	content := view.None()
	if a.query("bucket") != "" {
		content = view.JobPlace(a.page, "result", "high")
	}
	return a.show(view.BackTestPage(a.page, buckets, content))
}

// jobUsers lists the users of a list in the result of a job.
func (p *Page) jobUsers(a *ask) error {
	id, err := strconv.ParseInt(a.r.PathValue("job"), 10, 64)
	if err != nil {
		return p.nothing(a)
	}
	a.as("Users of a job", "buckets")
	job, err := a.api.GetJob(a.ctx, id)
	if err != nil {
		return err
	}
	got, err := a.api.ListJobUsers(a.ctx, id, client.ListJobUsersParams{List: a.query("list"), Bucket: a.query("bucket"), Limit: onPage, After: a.query("after")})
	if err != nil {
		return err
	}
	return a.show(view.JobUsersPage(a.page, job, got))
}

// deploy deploys the definitions of this program, if they are still those that the person saw.
func (p *Page) deploy(a *ask) error {
	expect := a.r.PostFormValue("fingerprint")
	if typed := strings.TrimSpace(a.r.PostFormValue("typed")); typed == "" || !strings.HasPrefix(expect, typed) || len(typed) < shortest {
		return &client.Problem{Status: http.StatusBadRequest, Title: "Not confirmed", Detail: "The short fingerprint was not typed."}
	}
	rate, err := parseCount(a.r.PostFormValue("rate"))
	if a.r.PostFormValue("rate") == "" {
		rate, err = 0, nil
	}
	if err != nil {
		return &client.Problem{Status: http.StatusBadRequest, Title: "Bad Request", Field: "rate", Detail: "is no number of users a second"}
	}
	d, err := a.api.Deploy(a.ctx, client.NewDeployment{Emit: client.Emit(a.r.PostFormValue("emit")), Rate: rate, Expect: expect})
	if err != nil {
		return err
	}
	return a.back("/deployments/"+strconv.FormatInt(d.No, 10), nil, "deploy")
}

// shortest is how many digits of a fingerprint must be typed.
const shortest = 8

// discard discards dead letters.
func (p *Page) discard(a *ask) error {
	if a.r.PostFormValue("typed") != "discard" {
		return &client.Problem{Status: http.StatusBadRequest, Title: "Not confirmed", Detail: "The word was not typed."}
	}
	body := client.Replay{All: true}
	if f := filterOf(a.r.PostForm); f != nil {
		body = client.Replay{Filter: f}
	}
	if _, err := a.api.DiscardDeadLetters(a.ctx, body); err != nil {
		return err
	}
	return a.back("/outbox", nil, "discard")
}

// filterOf returns the filter of dead letters that a form or a query has; nil for none.
func filterOf(form url.Values) *client.DeadLetterFilter {
	f := client.DeadLetterFilter{BucketID: form.Get("bucket"), Error: form.Get("error"), Subscription: form.Get("subscription"), UserID: form.Get("user")}
	if f == (client.DeadLetterFilter{}) {
		return nil
	}
	return &f
}
