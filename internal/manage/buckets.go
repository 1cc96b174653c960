package manage

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/registry"
)

// Buckets is a page of a list of buckets.
type Buckets struct {
	Buckets []engine.BucketRow `json:"buckets" doc:"The buckets of the page, in order"`
	Total   int                `json:"total" doc:"Number of buckets on all pages"`
	AsOf    time.Time          `json:"asOf" doc:"Moment of all numbers"`
	Next    string             `json:"next,omitempty" doc:"Cursor of the next page; missing on the last page"`
}

type bucketsInput struct {
	MaxAge
	Page

	Text  string `query:"q" maxLength:"200" doc:"Part of the id or name, in any letter case" example:"trial"`
	State string `query:"state" enum:"live,following,paused,other,gone" doc:"List buckets in this state only. Defaults to all"`
	Kind  string `query:"kind" enum:"dynamic,manual" doc:"List buckets with criteria only, or manual ones only. Defaults to both"`
	Sort  string `query:"sort" enum:"id,name,size,entered,left" default:"id" doc:"What the list is ordered by: entered and left are those of today"`
	Order string `query:"order" enum:"asc,desc" default:"asc" doc:"Direction of the order"`
}

// MaxAge is how old an answer may be.
type MaxAge struct {
	MaxAge int `query:"maxAge" minimum:"0" maximum:"60" default:"0" doc:"How many seconds old the answer may be; asOf has its moment. Defaults to 0" example:"10"`
}

func (m *MaxAge) maxAge() time.Duration { return time.Duration(m.MaxAge) * time.Second }

// BucketDetail is a bucket, and how it is doing.
type BucketDetail struct {
	engine.Bucket
	Members          int64   `json:"members" doc:"Number of current members"`
	Hour             Flow    `json:"hour" doc:"Since the start of the hour, in UTC"`
	Day              Flow    `json:"day" doc:"In the current hour and the 23 hours before it"`
	Ever             Flow    `json:"ever" doc:"Since the bucket was first deployed"`
	MeanDwellSeconds float64 `json:"meanDwellSeconds" doc:"Mean length of all ended stays in seconds; 0 without one" example:"86400"`
}

// Flow is how many users entered and left a bucket.
type Flow = bucketgen.Flow

func (a *api) buckets() {
	add(a, huma.Operation{
		Method: http.MethodGet, Path: "/v1/buckets", OperationID: "listBuckets", Tags: []string{"buckets"},
		Summary: "List the buckets",
		Description: "The buckets of this server, and those that have members and that it does not define, page by page. Sizes are kept, so the time does " +
			"not grow with the number of members.",
	}, a.listBuckets)
	add(a, huma.Operation{
		Method: http.MethodGet, Path: "/v1/summary", OperationID: "getSummary", Tags: []string{"buckets"},
		Summary:     "Get how the server and its database are doing",
		Description: "What waits for the clock and in the outbox, and the last deployment.",
	}, func(ctx context.Context, in *MaxAge) (engine.Summary, error) {
		return a.engine.Inspect().Summary(ctx, in.maxAge())
	})
	add(a, huma.Operation{
		Method: http.MethodGet, Path: "/v1/buckets/{bucket}", OperationID: "getBucket", Metadata: lookUp, Tags: []string{"buckets"},
		Summary:     "Get a bucket",
		Description: "A bucket with its criteria in words and its statistics.",
	}, func(ctx context.Context, in *BucketPath) (BucketDetail, error) { return a.detail(ctx, in.Bucket) }, http.StatusNotFound)
	add(a, huma.Operation{
		Method: http.MethodGet, Path: "/v1/buckets/{bucket}/sizes", OperationID: "getSizes", Metadata: lookUp, Tags: []string{"buckets"},
		Summary:     "Get the size of a bucket over time",
		Description: "Joins, leaves and members of a bucket by hour of UTC, or by day of a time zone, at most 10,000 steps.",
	}, a.sizes, http.StatusNotFound)
	add(a, huma.Operation{
		Method: http.MethodGet, Path: "/v1/sizes", OperationID: "getAllSizes", Tags: []string{"buckets"},
		Summary:     "Get the sizes of several buckets over time",
		Description: "What getSizes says, for several buckets.",
	}, a.allSizes, http.StatusNotFound)
	add(a, huma.Operation{
		Method: http.MethodPost, Path: "/v1/buckets/{bucket}/pause", OperationID: "pauseBucket", Tags: []string{"buckets"},
		Summary: "Pause a bucket",
		Description: "Freezes the memberships of a bucket, for all servers on the database, until it is resumed. Joins, leaves, ticks and deliveries wait. " +
			"Pausing a paused bucket does nothing.",
	}, a.setPaused((*engine.Deployments).Pause), http.StatusNotFound, http.StatusConflict)
	add(a, huma.Operation{
		Method: http.MethodPost, Path: "/v1/buckets/{bucket}/resume", OperationID: "resumeBucket", Tags: []string{"buckets"},
		Summary: "Resume a bucket",
		Description: "Resumes a paused bucket. Users who began or ceased to match meanwhile join or leave now. " +
			"Resuming a bucket that is not paused does nothing.",
	}, a.setPaused((*engine.Deployments).Resume), http.StatusNotFound, http.StatusConflict)
}

func (a *api) listBuckets(ctx context.Context, in *bucketsInput) (Buckets, error) {
	q := engine.BucketQuery{
		Text: in.Text, State: bucketgen.BucketState(in.State), Sort: bucketgen.BucketSort(in.Sort), Descending: in.Order == descending, Size: in.Limit,
		MaxAge: in.maxAge(),
	}
	if in.Kind != "" {
		manual := in.Kind == "manual"
		q.Manual = &manual
	}
	list := "buckets " + in.Sort + " " + in.Order
	var err error
	if q.After, err = keyAfter[bucketgen.BucketKey](&in.Page, list); err != nil {
		return Buckets{}, err
	}
	page, err := a.engine.Inspect().Buckets(ctx, q)
	return Buckets{page.Rows, page.Total, page.AsOf, keyCursor(list, page.Next)}, err
}

func (a *api) detail(ctx context.Context, id string) (BucketDetail, error) {
	ref, err := a.bucket(id)
	if err != nil {
		return BucketDetail{}, err
	}
	b, err := a.engine.Inspect().Bucket(ctx, ref)
	if err != nil {
		return BucketDetail{}, err
	}
	s, err := a.engine.BucketStats(ctx, ref)
	if err != nil {
		return BucketDetail{}, err
	}
	return BucketDetail{
		Bucket: b, Members: s.Members, Hour: s.Hour, Day: s.Day, Ever: s.Ever, MeanDwellSeconds: s.MeanDwell.Seconds(),
	}, nil
}

// setPaused pauses or resumes a bucket.
func (a *api) setPaused(do func(*engine.Deployments, context.Context, registry.BucketRef) error) func(context.Context, *BucketPath) (BucketDetail, error) {
	return func(ctx context.Context, in *BucketPath) (BucketDetail, error) {
		ref, err := a.bucket(in.Bucket)
		if err != nil {
			return BucketDetail{}, err
		}
		if err := do(a.engine.Deployments(), ctx, ref); err != nil {
			return BucketDetail{}, err
		}
		return a.detail(ctx, in.Bucket)
	}
}
