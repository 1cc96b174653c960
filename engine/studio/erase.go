package studio

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"github.com/bucketgen/bucketgen/engine/server/client"
	"github.com/bucketgen/bucketgen/engine/studio/internal/view"
)

// mostErased is how many persons the API erases by one job.
const mostErased = 5000

// eraseUser erases a person whose id was typed. Nothing is left to show, so the list of erasures
// follows.
func (p *Page) eraseUser(a *ask) error {
	id := a.r.PostFormValue("id")
	if strings.TrimSpace(a.r.PostFormValue("typed")) != view.Named(id) {
		return &client.Problem{Status: http.StatusBadRequest, Title: "Not confirmed", Detail: "The id was not typed."}
	}
	body := client.ErasePerson{Suppress: a.r.PostFormValue("suppress") != "", Ticket: strings.TrimSpace(a.r.PostFormValue("ticket"))}
	if _, err := a.api.EraseUser(a.ctx, id, body); err != nil {
		return err
	}
	return a.back("/erasures", nil, "erase")
}

// erasures lists the erasures, and how far a job is that erases many persons.
func (p *Page) erasures(a *ask) error {
	a.as("Erasures", "erasures")
	if a.part() == "result" {
		return a.box("result", "low", client.NewJob{}, view.None(), func(j *client.Job) templ.Component { return view.ErasedAll(j.Erase) })
	}
	var all boxes
	got := load(&all, func() (client.Erasures, error) {
		return a.api.ListErasures(a.ctx, client.ListErasuresParams{Limit: onPage, After: a.query("after")})
	})
	all.done()
	return a.show(view.ErasuresPage(a.page, got))
}

// confirmErasures shows whom a job would erase, and asks for their number to be typed.
func (p *Page) confirmErasures(a *ask) error {
	a.as("Erase persons", "erasures")
	asked, err := askedErasures(a)
	if err != nil {
		return err
	}
	return a.show(view.ConfirmErasures(a.page, asked))
}

// eraseUsers begins a job that erases the persons whose number was typed.
func (p *Page) eraseUsers(a *ask) error {
	asked, err := askedErasures(a)
	if err != nil {
		return err
	}
	if strings.TrimSpace(a.r.PostFormValue("typed")) != asked.Typed() {
		return &client.Problem{Status: http.StatusBadRequest, Title: "Not confirmed", Detail: "The number of persons was not typed."}
	}
	job, err := a.api.EraseUsers(a.ctx, client.ErasePeople{IDs: asked.IDs, Rate: asked.Rate, Suppress: asked.Suppress, Ticket: asked.Ticket})
	if err != nil {
		return err
	}
	return a.back("/erasures", url.Values{"job": {strconv.FormatInt(job.ID, 10)}}, "eraseAll")
}

// askedErasures reads a form that asks for many persons to be erased.
func askedErasures(a *ask) (view.Erasing, error) {
	asked := view.Erasing{Suppress: a.r.PostFormValue("suppress") != "", Ticket: strings.TrimSpace(a.r.PostFormValue("ticket"))}
	bad := func(field, detail string) (view.Erasing, error) {
		return asked, &client.Problem{Status: http.StatusBadRequest, Title: "Bad Request", Field: field, Detail: detail}
	}
	if text := a.r.PostFormValue("rate"); text != "" {
		rate, err := parseCount(text)
		if err != nil || rate == 0 {
			return bad("rate", "is no number of persons a second; write one, or leave it empty")
		}
		asked.Rate = rate
	}
	asked.IDs = lines(a.r.PostFormValue("users"))
	slices.Sort(asked.IDs)
	asked.IDs = slices.Compact(asked.IDs)
	switch n := len(asked.IDs); {
	case n == 0:
		return bad("users", "names no person; write an id on each line")
	case n > mostErased:
		return bad("users", fmt.Sprintf("names %d persons; a job erases at most %d, so begin several", n, mostErased))
	}
	return asked, nil
}
