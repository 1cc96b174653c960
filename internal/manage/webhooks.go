package manage

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/webhook"
	"github.com/bucketgen/bucketgen/internal/problem"
)

// Webhooks is a list of webhook endpoints.
type Webhooks struct {
	Webhooks []webhook.Endpoint `json:"webhooks" doc:"Endpoints without their secrets, the oldest first"`
}

// NewWebhook says which endpoint to create.
type NewWebhook struct {
	_       struct{} `additionalProperties:"false"`
	Name    string   `json:"name" minLength:"1" maxLength:"100" doc:"Unique name; no number" example:"crm"`
	URL     string   `json:"url" minLength:"1" maxLength:"2000" doc:"Where transitions are posted to" example:"https://crm.example.com/hooks"`
	Buckets []string `json:"buckets,omitempty" maxItems:"1000" nullable:"false" doc:"Ids of the buckets whose transitions are posted. Defaults to all"`
	Kinds   []string `json:"kinds,omitempty" maxItems:"5" nullable:"false" doc:"What is posted: entered, left, dwell, merged, erased. Defaults to the first three"`
	Batch   int      `json:"batch,omitempty" minimum:"0" maximum:"100" doc:"How many transitions one webhook carries at most. Defaults to 1"`
}

// WebhookChange says what to change of an endpoint.
type WebhookChange struct {
	_     struct{} `additionalProperties:"false"`
	URL   string   `json:"url,omitempty" maxLength:"2000" doc:"New URL. Defaults to the present one"`
	Kinds []string `json:"kinds,omitempty" maxItems:"5" nullable:"false" doc:"New kinds of transitions and notices. Defaults to the present ones"`
	Batch int      `json:"batch,omitempty" minimum:"0" maximum:"100" doc:"New number of transitions that one webhook carries at most. Defaults to the present one"`
}

// Rotation says how to replace the secret of an endpoint.
type Rotation struct {
	_            struct{} `additionalProperties:"false"`
	GraceSeconds *int64   `json:"graceSeconds,omitempty" minimum:"0" maximum:"31622400" doc:"How long the old secret stays valid, in seconds. Defaults to a day"`
}

// Disabling says why an endpoint is disabled.
type Disabling struct {
	_      struct{} `additionalProperties:"false"`
	Reason string   `json:"reason,omitempty" maxLength:"200" doc:"Reason that lists show. Defaults to by hand"`
}

// WebhookPath is the path of what is about a webhook endpoint.
type WebhookPath struct {
	Webhook int `path:"webhook" minimum:"1" maximum:"2147483647" doc:"Number of the endpoint" example:"1"`
}

// WebhookAttempts is a page of the attempts to post to an endpoint.
type WebhookAttempts struct {
	Attempts []webhook.Attempt `json:"attempts" doc:"Attempts, the newest first"`
	Next     string            `json:"next,omitempty" doc:"Cursor of the next page; missing on the last page"`
}

type webhookAttemptsInput struct {
	WebhookPath
	Page
}

type newWebhookInput struct {
	Body NewWebhook
}

type webhookChangeInput struct {
	WebhookPath
	Body WebhookChange
}

type rotationInput struct {
	WebhookPath
	Body Rotation
}

type disablingInput struct {
	WebhookPath
	Body Disabling
}

// oneWebhook is the path of what is about a webhook.
const oneWebhook = "/v1/webhooks/{webhook}"

func (a *api) webhooks() {
	tags, hooks := []string{"webhooks"}, a.options.Webhooks
	add(a, huma.Operation{
		Method: http.MethodGet, Path: "/v1/webhooks", OperationID: "listWebhooks", Tags: tags,
		Summary:     "List the webhook endpoints",
		Description: "All endpoints. What waits for one of them is in the outbox: its subscription is webhook:NUMBER, or webhook:NUMBER:BUCKET for each bucket.",
	}, func(ctx context.Context, _ *struct{}) (Webhooks, error) {
		all, err := hooks.List(ctx)
		return Webhooks{orNone(all)}, err
	})
	add(a, huma.Operation{
		Method: http.MethodPost, Path: "/v1/webhooks", OperationID: "createWebhook", Tags: tags,
		Summary:     "Create a webhook endpoint",
		Description: "The answer has the secret by which the receiver verifies webhooks, this once. The endpoint receives every transition from now on.",
	}, func(ctx context.Context, in *newWebhookInput) (webhook.Endpoint, error) {
		b := in.Body
		made, err := hooks.Create(ctx, webhook.Endpoint{Name: b.Name, URL: b.URL, Buckets: b.Buckets, Kinds: kindsOf(b.Kinds), Batch: b.Batch})
		noted(ctx, strconv.Itoa(made.No), "%s", made.Name)
		return made, webhookProblem(err)
	}, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	add(a, huma.Operation{
		Method: http.MethodPut, Path: oneWebhook, OperationID: "changeWebhook", Tags: tags,
		Summary:     "Change a webhook endpoint",
		Description: "Waiting webhooks are posted to the new URL at once. The secret stays.",
	}, a.changeWebhook, http.StatusNotFound, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	add(a, huma.Operation{
		Method: http.MethodDelete, Path: oneWebhook, OperationID: "deleteWebhook", Tags: tags,
		Summary:     "Delete a webhook endpoint",
		Description: "Deletes an endpoint with its secrets, its waiting webhooks and its dead letters.",
	}, a.webhook(func(ctx context.Context, which string) (webhook.Endpoint, error) { return hooks.Delete(ctx, which) }), http.StatusNotFound)
	add(a, huma.Operation{
		Method: http.MethodGet, Path: oneWebhook + "/attempts", OperationID: "listWebhookAttempts", Tags: tags,
		Summary: "List the latest attempts to post to an endpoint",
		Description: "When the servers posted to the endpoint and what it answered, without any body, within a second or two. They keep the newest 100 of " +
			"each endpoint, unless they are configured otherwise.",
	}, func(ctx context.Context, in *webhookAttemptsInput) (WebhookAttempts, error) {
		before, err := in.after("attempts")
		if err != nil {
			return WebhookAttempts{}, err
		}
		page, next, err := hooks.Attempts(ctx, strconv.Itoa(in.Webhook), before, in.Limit)
		return WebhookAttempts{orNone(page), cursor("attempts", next)}, webhookProblem(err)
	}, http.StatusNotFound)
	a.webhookActions()
}

// webhookActions adds what is done with a webhook that exists.
func (a *api) webhookActions() {
	tags, hooks := []string{"webhooks"}, a.options.Webhooks
	add(a, huma.Operation{
		Method: http.MethodPost, Path: oneWebhook + "/enable", OperationID: "enableWebhook", Tags: tags,
		Summary:     "Enable a webhook endpoint",
		Description: "Waiting webhooks are posted at once and in order.",
	}, a.webhook(func(ctx context.Context, which string) (webhook.Endpoint, error) { return hooks.Enable(ctx, which) }), http.StatusNotFound)
	add(a, huma.Operation{
		Method: http.MethodPost, Path: oneWebhook + "/disable", OperationID: "disableWebhook", Tags: tags,
		Summary:     "Disable a webhook endpoint",
		Description: "Its transitions wait until it is enabled.",
	}, func(ctx context.Context, in *disablingInput) (webhook.Endpoint, error) {
		reason := in.Body.Reason
		if reason == "" {
			reason = "by hand"
		}
		e, err := hooks.Disable(ctx, strconv.Itoa(in.Webhook), reason)
		return e, webhookProblem(err)
	}, http.StatusNotFound, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	add(a, huma.Operation{
		Method: http.MethodPost, Path: oneWebhook + "/rotate", OperationID: "rotateWebhook", Tags: tags,
		Summary:     "Replace the secret of a webhook endpoint",
		Description: "The answer has the new secret, this once. Webhooks are signed by both secrets until the grace period ends.",
	}, func(ctx context.Context, in *rotationInput) (webhook.Endpoint, error) {
		grace := webhook.Grace
		if s := in.Body.GraceSeconds; s != nil {
			grace = time.Duration(*s) * time.Second
		}
		e, err := hooks.Rotate(ctx, strconv.Itoa(in.Webhook), grace)
		return e, webhookProblem(err)
	}, http.StatusNotFound, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	add(a, huma.Operation{
		Method: http.MethodPost, Path: oneWebhook + "/test", OperationID: "testWebhook", Tags: tags,
		Summary:     "Post a test event to a webhook endpoint",
		Description: "Posts an event of the type bucket.test, signed like any other webhook, and returns what the endpoint answered.",
	}, func(ctx context.Context, in *WebhookPath) (webhook.Answer, error) {
		answer, err := hooks.Test(ctx, strconv.Itoa(in.Webhook))
		noted(ctx, "", "answered %d", answer.Status)
		return answer, webhookProblem(err)
	}, http.StatusNotFound)
}

// webhook returns an operation on one endpoint.
func (a *api) webhook(do func(context.Context, string) (webhook.Endpoint, error)) func(context.Context, *WebhookPath) (webhook.Endpoint, error) {
	return func(ctx context.Context, in *WebhookPath) (webhook.Endpoint, error) {
		e, err := do(ctx, strconv.Itoa(in.Webhook))
		return e, webhookProblem(err)
	}
}

func (a *api) changeWebhook(ctx context.Context, in *webhookChangeInput) (e webhook.Endpoint, err error) {
	which, b, hooks := strconv.Itoa(in.Webhook), in.Body, a.options.Webhooks
	if b.URL == "" && len(b.Kinds) == 0 && b.Batch == 0 {
		return e, problem.Of(http.StatusBadRequest, "url", "is missing, and so are kinds and batch; give one of them")
	}
	if b.URL != "" || len(b.Kinds) > 0 {
		e, err = hooks.Change(ctx, which, b.URL, kindsOf(b.Kinds))
	}
	if err == nil && b.Batch != 0 {
		e, err = hooks.SetBatch(ctx, which, b.Batch)
	}
	return e, webhookProblem(err)
}

func kindsOf(names []string) []engine.Kind {
	kinds := make([]engine.Kind, len(names))
	for i, name := range names {
		kinds[i] = engine.Kind(name)
	}
	return kinds
}

// webhookProblem returns the problem of an endpoint that is unknown, or cannot be as it was asked
// for.
func webhookProblem(err error) error {
	invalid, is := errors.AsType[*webhook.EndpointError](err)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, webhook.ErrUnknownEndpoint):
		return problem.Of(http.StatusNotFound, "webhook", "there is no endpoint of this number")
	case is:
		return problem.Of(http.StatusBadRequest, invalid.Field, strings.TrimPrefix(invalid.Error(), invalid.Field+" "))
	}
	return err
}
