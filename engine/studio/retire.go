package studio

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/a-h/templ"

	"github.com/bucketgen/bucketgen/engine/server/client"
	"github.com/bucketgen/bucketgen/engine/studio/internal/view"
)

// gone shows a bucket that this server does not define and that has members. Without one it returns
// the problem that there is no bucket of the id.
func (p *Page) gone(a *ask, id string, unknown *client.Problem) error {
	if a.page.Person.Masked {
		return unknown
	}
	got, err := a.api.ListBuckets(a.ctx, client.ListBucketsParams{Q: id, State: client.BucketStateGone, Limit: onPage})
	if err != nil {
		return err
	}
	for i := range got.Buckets {
		if got.Buckets[i].ID == id {
			a.as(got.Buckets[i].Name, "buckets")
			return a.show(view.GoneBucket(a.page, rowOf(&got.Buckets[i])))
		}
	}
	return unknown
}

// retire begins to let all members leave a bucket whose id was typed.
func (p *Page) retire(a *ask) error {
	id := a.r.PathValue("bucket")
	if a.r.PostFormValue("typed") != id {
		return &client.Problem{Status: http.StatusBadRequest, Title: "Not confirmed", Detail: "The id was not typed."}
	}
	job, err := a.api.CreateJob(a.ctx, client.NewJob{Kind: client.JobKindRetire, BucketID: id})
	if err != nil {
		return err
	}
	return a.back("/buckets/"+url.PathEscape(id)+"/retire", url.Values{"job": {strconv.FormatInt(job.ID, 10)}}, "retire")
}

// retirement shows how far a retirement is.
func (p *Page) retirement(a *ask) error {
	id := a.r.PathValue("bucket")
	if a.number("job") == 0 {
		http.Redirect(a.w, a.r, a.page.Bucket(id), http.StatusSeeOther)
		return nil
	}
	if a.part() == "result" {
		return a.box("result", "", client.NewJob{}, view.None(), func(j *client.Job) templ.Component { return view.Retired(a.page, *j.Retire) })
	}
	a.as("Retire "+id, "buckets")
	return a.show(view.RetirePage(a.page, id, view.JobPlace(a.page, "result", "low")))
}
