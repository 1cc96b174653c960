package studio

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/bucketgen/bucketgen/engine/server/client"
	"github.com/bucketgen/bucketgen/engine/studio/internal/view"
)

// webhooks lists the webhook endpoints.
func (p *Page) webhooks(a *ask) error {
	a.as("Webhooks", "webhooks")
	var all boxes
	hooks := load(&all, func() (client.Webhooks, error) { return a.api.ListWebhooks(a.ctx) })
	outbox := load(&all, func() (client.Outbox, error) { return a.api.GetOutbox(a.ctx) })
	all.done()
	return a.show(view.WebhooksPage(a.page, hooks, outbox.Value))
}

// webhook shows one endpoint.
func (p *Page) webhook(a *ask) error { return a.webhook(view.WebhookNews{}) }

// webhook shows the endpoint that the path names, and what has just become of it.
func (a *ask) webhook(news view.WebhookNews) error {
	e, err := a.endpoint()
	if err != nil {
		return err
	}
	a.as(e.Name, "webhooks")
	var all boxes
	outbox := load(&all, func() (client.Outbox, error) { return a.api.GetOutbox(a.ctx) })
	attempts := load(&all, func() (client.WebhookAttempts, error) {
		return a.api.ListWebhookAttempts(a.ctx, e.No, client.ListWebhookAttemptsParams{Limit: onPage, After: a.query("after")})
	})
	all.done()
	return a.show(view.WebhookPage(a.page, e, news, outbox, attempts))
}

// endpointNo returns the number that the path has.
func (a *ask) endpointNo() (int64, error) {
	no, err := strconv.ParseInt(a.r.PathValue("webhook"), 10, 64)
	if err != nil {
		return 0, errNoEndpoint
	}
	return no, nil
}

// errNoEndpoint says that the path names no endpoint.
var errNoEndpoint = &client.Problem{Status: http.StatusNotFound, Title: "Not Found", Detail: "There is no webhook endpoint of this number."}

// endpoint returns the endpoint that the path names.
func (a *ask) endpoint() (client.Endpoint, error) {
	no, err := a.endpointNo()
	if err != nil {
		return client.Endpoint{}, err
	}
	got, err := a.api.ListWebhooks(a.ctx)
	if err != nil {
		return client.Endpoint{}, err
	}
	for _, e := range got.Webhooks {
		if e.No == no {
			return e, nil
		}
	}
	return client.Endpoint{}, errNoEndpoint
}

// createWebhook creates an endpoint, and shows its secret in the answer, which no browser keeps.
func (p *Page) createWebhook(a *ask) error {
	kinds, batch, err := postedOf(a)
	if err != nil {
		return err
	}
	made, err := a.api.CreateWebhook(a.ctx, client.NewWebhook{
		Name: strings.TrimSpace(a.r.PostFormValue("name")), URL: strings.TrimSpace(a.r.PostFormValue("url")),
		Buckets: lines(a.r.PostFormValue("buckets")), Kinds: kinds, Batch: batch,
	})
	if err != nil {
		return err
	}
	a.r.SetPathValue("webhook", strconv.FormatInt(made.No, 10))
	return a.webhook(view.WebhookNews{Title: "The endpoint " + made.Name + " was created", Secret: made.Secret})
}

// postedOf returns which transitions a form chooses, and how many one webhook carries; 0 for the
// default.
func postedOf(a *ask) (kinds []string, batch int64, err error) {
	wrong := func(field, detail string) error {
		return &client.Problem{Status: http.StatusBadRequest, Title: "Bad Request", Field: field, Detail: detail}
	}
	if kinds = a.r.PostForm["kinds"]; len(kinds) == 0 {
		return nil, 0, wrong("kinds", "are none; choose one at least")
	}
	if text := a.r.PostFormValue("batch"); text != "" {
		if batch, err = parseCount(text); err != nil {
			return nil, 0, wrong("batch", "is no number; write 1 to 100")
		}
	}
	return kinds, batch, nil
}

// onWebhook returns a handler that changes an endpoint and goes back to its page.
func (p *Page) onWebhook(done string, do func(a *ask, no int64) error) func(*ask) error {
	return func(a *ask) error {
		no, err := a.endpointNo()
		if err == nil {
			err = do(a, no)
		}
		if err != nil {
			return err
		}
		return a.back("/webhooks/"+strconv.FormatInt(no, 10), nil, done)
	}
}

func changeWebhook(a *ask, no int64) error {
	kinds, batch, err := postedOf(a)
	if err != nil {
		return err
	}
	_, err = a.api.ChangeWebhook(a.ctx, no, client.WebhookChange{URL: strings.TrimSpace(a.r.PostFormValue("url")), Kinds: kinds, Batch: batch})
	return err
}

func enableWebhook(a *ask, no int64) error {
	_, err := a.api.EnableWebhook(a.ctx, no)
	return err
}

func disableWebhook(a *ask, no int64) error {
	_, err := a.api.DisableWebhook(a.ctx, no, client.Disabling{Reason: strings.TrimSpace(a.r.PostFormValue("reason"))})
	return err
}

// rotateWebhook replaces the secret of an endpoint, and shows the new one in the answer.
func (p *Page) rotateWebhook(a *ask) error {
	no, err := a.endpointNo()
	if err != nil {
		return err
	}
	grace, err := parseCount(a.r.PostFormValue("grace"))
	if err != nil {
		return &client.Problem{Status: http.StatusBadRequest, Title: "Bad Request", Field: "grace", Detail: "is no number of seconds"}
	}
	e, err := a.api.RotateWebhook(a.ctx, no, client.Rotation{GraceSeconds: &grace})
	if err != nil {
		return err
	}
	return a.webhook(view.WebhookNews{Title: "The secret of " + e.Name + " was replaced", Secret: e.Secret})
}

// testWebhook posts a test event to an endpoint, and shows what it answered.
func (p *Page) testWebhook(a *ask) error {
	no, err := a.endpointNo()
	if err != nil {
		return err
	}
	answer, err := a.api.TestWebhook(a.ctx, no)
	if err != nil {
		return err
	}
	return a.webhook(view.WebhookNews{Title: "A test event was posted", Answer: &answer})
}

// deleteWebhook deletes an endpoint whose name was typed.
func (p *Page) deleteWebhook(a *ask) error {
	e, err := a.endpoint()
	if err != nil {
		return err
	}
	if strings.TrimSpace(a.r.PostFormValue("typed")) != e.Name {
		return &client.Problem{Status: http.StatusBadRequest, Title: "Not confirmed", Detail: "The name was not typed."}
	}
	if _, err := a.api.DeleteWebhook(a.ctx, e.No); err != nil {
		return err
	}
	return a.back("/webhooks", nil, "deleted")
}
