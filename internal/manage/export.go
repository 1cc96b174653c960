package manage

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/problem"
	"github.com/bucketgen/bucketgen/internal/sheet"
	"github.com/bucketgen/bucketgen/registry"
)

const (
	contentCSV = "text/csv"
	exportPage = 1000 // exportPage is how many members an export reads at once

	// exportPatience is how long the client of an export may take to accept a page.
	exportPatience = 30 * time.Second
)

// MemberFilter says which members to list.
type MemberFilter struct {
	AsOf          time.Time `query:"asOf" doc:"List the members at this time; no other filter goes with it. Defaults to now" example:"2026-12-01T00:00:00Z"`
	Text          string    `query:"q" maxLength:"1000" doc:"Id or e-mail address of the member" example:"ada@example.com"`
	Source        string    `query:"source" enum:"event,clock,reconcile,backfill,manual" doc:"List members with this cause of the join only. Defaults to all"`
	EnteredAfter  time.Time `query:"enteredAfter" doc:"List members who entered at this time or later. Defaults to all" example:"2026-12-01T00:00:00Z"`
	EnteredBefore time.Time `query:"before" doc:"List members who entered before this time. Defaults to all" example:"2026-12-02T00:00:00Z"`
	Order         string    `query:"order" enum:"created,newest" default:"created" doc:"Order: when the users were created, or those first who entered last"`
}

// check returns an error if a filter does not go with another.
func (f *MemberFilter) check() error {
	if f.AsOf.IsZero() {
		return nil
	}
	if err := writable("asOf", f.AsOf); err != nil {
		return err
	}
	for field, given := range map[string]bool{
		"q": f.Text != "", "source": f.Source != "", "enteredAfter": !f.EnteredAfter.IsZero(), "before": !f.EnteredBefore.IsZero(), "order": f.Order == "newest",
	} {
		if given {
			return problem.Of(http.StatusBadRequest, field, "does not go with asOf; leave one of them out")
		}
	}
	return nil
}

// list names the list that the filter makes, for its cursors.
func (f *MemberFilter) list() string { return "members " + f.Order }

// memberPage reads a page of members.
func (a *api) memberPage(ctx context.Context, ref registry.Ref, f *MemberFilter, after *bucketgen.TimeKey, size int) (engine.MemberPage, error) {
	if f.AsOf.IsZero() {
		return a.engine.Inspect().Members(ctx, ref, engine.MemberQuery{
			Text: f.Text, Source: engine.Source(f.Source), EnteredFrom: f.EnteredAfter, EnteredBefore: f.EnteredBefore, Newest: f.Order == "newest",
			After: after, Size: size,
		})
	}
	p := engine.Page{Size: size}
	if after != nil {
		p.After = after.ID
	}
	all, next, err := a.engine.MembersAtPage(ctx, ref, f.AsOf, p)
	page := engine.MemberPage{Members: orNone(all), AsOf: f.AsOf.UTC()}
	if next != 0 {
		page.Next = &bucketgen.TimeKey{ID: next}
	}
	return page, err
}

type exportInput struct {
	BucketPath
	MemberFilter
}

func (a *api) exportMembers() {
	op := a.documented(huma.Operation{
		Method: http.MethodGet, Path: "/v1/buckets/{bucket}/members.csv", OperationID: "exportMembers", Tags: []string{"buckets"},
		Summary: "Export the members of a bucket as CSV",
		Description: "All members that listMembers lists, a row each. A cell that begins with =, +, -, @ or a blank gets an apostrophe in front, so that a " +
			"spreadsheet does not run it as a formula. An answer that breaks off is not complete.",
	}, []int{http.StatusNotFound})
	op.Responses["200"] = &huma.Response{Content: map[string]*huma.MediaType{contentCSV: {Schema: &huma.Schema{Type: "string"}}}}
	a.access[op.Method+" "+op.Path] = accessOf(&op)
	huma.Register(a.huma, op, func(ctx context.Context, in *exportInput) (*huma.StreamResponse, error) {
		ref, err := a.bucket(in.Bucket)
		if err == nil {
			err = in.check()
		}
		var first engine.MemberPage
		if err == nil {
			first, err = a.memberPage(ctx, ref, &in.MemberFilter, nil, exportPage)
		}
		if err != nil {
			return nil, a.problem(ctx, err)
		}
		x := exchangeOf(ctx)
		return &huma.StreamResponse{Body: func(huma.Context) { a.export(x, ref, &in.MemberFilter, first) }}, nil
	})
}

// export writes all members from a page on. It takes as long as its client reads, unlike what other
// requests do. An answer that cannot be completed is broken off.
func (a *api) export(x exchange, ref registry.Ref, f *MemberFilter, page engine.MemberPage) {
	ctx, control := x.request.Context(), http.NewResponseController(x.writer)
	x.writer.Header().Set("Content-Type", contentCSV+"; charset=utf-8")
	x.writer.Header().Set("Content-Disposition", `attachment; filename="members.csv"`)
	x.writer.Header().Set("Cache-Control", "no-store")
	out := sheet.NewWriter(x.writer)
	err := out.Write(sheet.MemberColumns...)
	for err == nil {
		// The deadlines of the server are for requests that end soon.
		if err = control.SetWriteDeadline(time.Now().Add(exportPatience)); errors.Is(err, http.ErrNotSupported) {
			err = nil
		}
		for i := range page.Members {
			if err == nil {
				err = out.WriteMember(&page.Members[i])
			}
		}
		if err == nil {
			err = out.Flush()
		}
		if err != nil || page.Next == nil {
			break
		}
		page, err = a.memberPage(ctx, ref, f, page.Next, exportPage)
	}
	if err != nil {
		if ctx.Err() == nil {
			a.options.Failed(ctx, err)
		}
		panic(http.ErrAbortHandler) // so that the client does not take what it has for all
	}
}
