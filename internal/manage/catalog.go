package manage

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/bucketgen/bucketgen/engine"
)

type catalogInput struct {
	Kind     string `query:"kind" enum:"event,field,property" doc:"List names of this kind only. Defaults to all"`
	Declared string `query:"declared" enum:"true,false" doc:"List only declared names, or only undeclared ones. Defaults to both"`
	Limit    int    `query:"limit" default:"1000" minimum:"1" maximum:"10000" doc:"Maximum number of entries, and of differences"`
}

func (a *api) catalog() {
	add(a, huma.Operation{
		Method: http.MethodGet, Path: "/v1/catalog", OperationID: "getCatalog", Tags: []string{"deployments"},
		Summary: "Compare declared names with received ones",
		Description: "The declared and the received event names, payload fields and properties with the types of their values, " +
			"and their differences: declared and never received, received and close to a declared name, received with another type.",
	}, func(ctx context.Context, in *catalogInput) (engine.Catalog, error) {
		c, err := a.engine.Catalog(ctx)
		if err != nil {
			return engine.Catalog{}, err
		}
		entries := []engine.CatalogEntry{}
		for _, e := range c.Entries {
			if in.takes(&e) && len(entries) < in.Limit {
				entries = append(entries, e)
			}
		}
		c.Entries, c.Drift = entries, c.Drift[:min(len(c.Drift), in.Limit)]
		return c, nil
	})
}

// takes reports whether an entry is asked for.
func (in *catalogInput) takes(e *engine.CatalogEntry) bool {
	return (in.Kind == "" || in.Kind == string(e.Kind)) && (in.Declared == "" || (in.Declared == "true") == e.Declared)
}
