package studio

import (
	"net/http"

	"github.com/bucketgen/bucketgen/engine/server/client"
	"github.com/bucketgen/bucketgen/engine/studio/internal/view"
)

// onRecent is how many of the latest events are shown.
const onRecent = 20

// events compares the declared names with those that are received, and lists the latest events.
func (p *Page) events(a *ask) error {
	a.as("Events", "events")
	var all boxes
	recent := load(&all, func() (client.Events, error) {
		return a.api.ListEvents(a.ctx, client.ListEventsParams{Limit: onRecent, Name: a.query("name"), User: a.query("user")})
	})
	if a.part() == "recent" {
		all.done()
		if recent.Problem != nil {
			return recent.Problem
		}
		return a.write(http.StatusOK, view.RecentEvents(a.page, recent))
	}
	catalog := load(&all, func() (client.Catalog, error) {
		return a.api.GetCatalog(a.ctx, client.GetCatalogParams{
			Kind: client.GetCatalogParamsKindField, Declared: client.GetCatalogParamsDeclared(a.query("declared")), Limit: 500,
		})
	})
	if a.query("kind") == "field" {
		all.done()
		return a.show(view.EventsPage(a.page, catalog, fields(catalog), recent))
	}
	names := load(&all, func() (view.Names, error) { return names(a) })
	all.done()
	return a.show(view.EventsPage(a.page, catalog, names, recent))
}

// names lists the event names, or the properties, that a page asks for.
func names(a *ask) (view.Names, error) {
	var got client.CatalogNames
	var err error
	if a.query("kind") == "property" {
		got, err = a.api.ListProperties(a.ctx, client.ListPropertiesParams{
			Q: a.query("q"), Declared: client.ListPropertiesParamsDeclared(a.query("declared")), Seen: client.ListPropertiesParamsSeen(a.query("seen")),
			Limit: onPage, After: a.query("after"),
		})
	} else {
		got, err = a.api.ListEventNames(a.ctx, client.ListEventNamesParams{
			Q: a.query("q"), Declared: client.ListEventNamesParamsDeclared(a.query("declared")), Seen: client.ListEventNamesParamsSeen(a.query("seen")),
			Limit: onPage, After: a.query("after"),
		})
	}
	list := view.Names{Hourly: true, Total: got.Total, Next: got.Next}
	for i := range got.Names {
		list.Rows = append(list.Rows, view.NameOf(&got.Names[i], got.AsOf))
	}
	return list, err
}

// fields lists fields of payloads.
func fields(catalog *view.Box[client.Catalog]) *view.Box[view.Names] {
	list := &view.Box[view.Names]{Problem: catalog.Problem}
	for i := range catalog.Value.Entries {
		list.Value.Rows = append(list.Value.Rows, view.FieldOf(&catalog.Value.Entries[i]))
	}
	return list
}
