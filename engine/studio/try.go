package studio

import (
	"cmp"
	"encoding/json"
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

// maxFields is how many declared names a form has fields for; further ones are written as JSON.
const maxFields = 20

// try shows what an event would change that the query describes.
func (p *Page) try(a *ask) error {
	a.as("Try it", "try")
	if !a.page.Person.MayChange() {
		return &client.Problem{Status: http.StatusForbidden, Title: "Forbidden", Detail: "Events are tried by people with the role admin."}
	}
	catalog, err := a.api.GetCatalog(a.ctx, client.GetCatalogParams{Declared: client.GetCatalogParamsDeclaredTrue, Limit: 500})
	if err != nil {
		return err
	}
	names := namesOf(catalog.Entries, a.query("event"))
	trial, properties, traits, err := trialOf(a.page.Query, names)
	result := view.None()
	switch {
	case err != nil:
		result = view.Trouble(problemOf(err), a.page.With("run", ""))
	case a.query("run") != "":
		result = a.tried(trial, properties, traits)
	}
	return a.show(view.TryPage(a.page, trial, names, result))
}

// tried returns what an event would come to, or why that is not known.
func (a *ask) tried(trial view.Trial, properties, traits map[string]any) templ.Component { //nolint:ireturn // it is what templ makes
	got, err := a.api.Try(a.ctx, client.TriedEvent{UserID: trial.User, Name: trial.Event, Properties: properties, Traits: traits})
	if err != nil {
		return view.Trouble(problemOf(err), a.page.With("run", ""))
	}
	return view.Tried(a.page, trial, got, curl(a.r, trial, properties, traits))
}

// send sends an event that was tried.
func (p *Page) send(a *ask) error {
	trial, properties, traits, err := trialOf(a.r.PostForm, view.TryNames{})
	if err != nil {
		return err
	}
	if _, err := a.api.SendEvent(a.ctx, trial.User, client.SentEvent{Name: trial.Event, Properties: properties, Traits: traits}); err != nil {
		return err
	}
	return a.back("/user", url.Values{"id": {trial.User}}, "sent")
}

// namesOf returns the declared names that an event may have.
func namesOf(all []client.CatalogEntry, event string) (names view.TryNames) {
	for i := range all {
		switch e := all[i]; {
		case e.Kind == client.CatalogKindEvent:
			names.Events = append(names.Events, e.Event)
		case e.Kind == client.CatalogKindProperty && len(names.Traits) < maxFields:
			names.Traits = append(names.Traits, e)
		case e.Kind == client.CatalogKindField && e.Event == event && len(names.Fields) < maxFields:
			names.Fields = append(names.Fields, e)
		}
	}
	slices.SortFunc(names.Traits, func(a, b client.CatalogEntry) int { return cmp.Compare(a.Name, b.Name) })
	return names
}

// trialOf reads an event of a query or a form: fields of declared names, and JSON.
func trialOf(form url.Values, names view.TryNames) (trial view.Trial, properties, traits map[string]any, err error) {
	trial = view.Trial{User: strings.TrimSpace(form.Get("user")), Event: strings.TrimSpace(form.Get("event"))}
	if properties, err = objectOf(form, "properties", "p.", names.Fields); err == nil {
		traits, err = objectOf(form, "traits", "t.", names.Traits)
	}
	trial.Properties, trial.Traits = written(properties), written(traits)
	return trial, properties, traits, err
}

// objectOf returns the JSON object of a field of a form with the values of declared names; nil if
// there is none of both.
func objectOf(form url.Values, field, prefix string, declared []client.CatalogEntry) (map[string]any, error) {
	var object map[string]any
	if text := strings.TrimSpace(form.Get(field)); text != "" {
		decoder := json.NewDecoder(strings.NewReader(text))
		decoder.UseNumber()
		if decoder.Decode(&object) != nil || object == nil || decoder.More() {
			return nil, &client.Problem{Status: http.StatusBadRequest, Title: "Bad Request", Field: field, Detail: `is no JSON object; write it like {"amount": 12}`}
		}
	}
	for _, e := range declared {
		text := strings.TrimSpace(form.Get(prefix + e.Name))
		if text == "" {
			continue
		}
		value, err := valueOf(e, text)
		if err != nil {
			return nil, err
		}
		if object == nil {
			object = map[string]any{}
		}
		put(object, strings.Split(e.Name, "."), value)
	}
	return object, nil
}

// put sets a value in an object, at a path of keys.
func put(object map[string]any, path []string, value any) {
	for ; len(path) > 1; path = path[1:] {
		inner, is := object[path[0]].(map[string]any)
		if !is {
			inner = map[string]any{}
			object[path[0]] = inner
		}
		object = inner
	}
	object[path[0]] = value
}

// valueOf reads a value of a declared type. One of several types, or of none, may be JSON.
func valueOf(e client.CatalogEntry, text string) (any, error) {
	kind := ""
	if len(e.Types) == 1 {
		kind = e.Types[0]
	}
	wrong := func(detail string) error {
		return &client.Problem{Status: http.StatusBadRequest, Title: "Bad Request", Field: e.Name, Detail: detail}
	}
	switch kind {
	case "text", "time":
		return text, nil
	case "number":
		if _, err := strconv.ParseFloat(text, 64); err != nil || !json.Valid([]byte(text)) {
			return nil, wrong("is no number; write it like 12.50")
		}
		return json.Number(text), nil
	case "bool":
		value, err := strconv.ParseBool(text)
		if err != nil {
			return nil, wrong("is neither true nor false")
		}
		return value, nil
	case "list":
		var all []string
		for part := range strings.SplitSeq(text, ",") {
			all = append(all, strings.TrimSpace(part))
		}
		return all, nil
	}
	return jsonOrText(text), nil
}

// jsonOrText returns the value that a text is as JSON, or the text.
func jsonOrText(text string) any {
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		return text
	}
	return value
}

// written returns an object as JSON; empty for none.
func written(object map[string]any) string {
	if object == nil {
		return ""
	}
	text, _ := json.Marshal(object) //nolint:errchkjson // it was read from JSON
	return string(text)
}

// curl returns the command that sends an event, as send does.
func curl(r *http.Request, trial view.Trial, properties, traits map[string]any) string {
	body, _ := json.Marshal(client.SentEvent{Name: trial.Event, Properties: properties, Traits: traits}) //nolint:errchkjson // it was read from JSON
	scheme := "http"
	if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
		scheme = "https"
	}
	return fmt.Sprintf("curl -u KEY: -H 'Content-Type: application/json' -d %s %s",
		shellQuoted(string(body)), shellQuoted(scheme+"://"+r.Host+"/v1/users/"+url.PathEscape(trial.User)+"/events"))
}

// shellQuoted quotes a text for a shell.
func shellQuoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
