package studio

import (
	"net/http"
	"strings"
)

// routes adds what the page answers.
func (p *Page) routes() {
	get := func(path string, do func(*ask) error) { p.mux.HandleFunc("GET "+p.config.Prefix+path, p.handle(do)) }
	plain := func(method, path string, do http.HandlerFunc) {
		p.mux.HandleFunc(strings.TrimSpace(method+" "+p.config.Prefix+path), do)
	}
	plain("GET", "/assets/{file}", p.assets.serve)
	plain("GET", "/sign-in", p.signInPage)
	if p.config.Authenticate == nil {
		plain("POST", "/sign-in", p.signIn)
		plain("POST", "/sign-out", p.signOut)
	}
	get("/{$}", p.overview)
	get("/strip", p.strip)
	get("/find", p.find)
	post := func(path string, do func(*ask) error) { p.mux.HandleFunc("POST "+p.config.Prefix+path, p.change(do)) }
	get("/bucket", func(a *ask) error {
		http.Redirect(a.w, a.r, a.page.Bucket(a.query("id")), http.StatusSeeOther)
		return nil
	})
	get("/buckets/{bucket}", p.bucket)
	get("/buckets/{bucket}/members", p.members)
	get("/buckets/{bucket}/transitions", p.transitions)
	get("/buckets/{bucket}/history", p.history)
	get("/buckets/{bucket}/reactions", p.feeds)
	post("/buckets/{bucket}/members", p.changeMembers)
	post("/buckets/{bucket}/pause", p.pause)
	post("/buckets/{bucket}/resume", p.resume)
	get("/buckets/{bucket}/retire", p.retirement)
	post("/buckets/{bucket}/retire", p.retire)
	p.userRoutes(get, post)
	get("/live", p.live)
	get("/outbox", p.outbox)
	post("/outbox/replay", p.replay)
	get("/events", p.events)
	get("/health", p.health)
	get("/audit", p.audit)
	get("/plan", p.plan)
	get("/deployments/{no}", p.deployment)
	get("/buckets/{bucket}/dwell", p.dwell)
	get("/buckets/{bucket}/overlap", p.overlap)
	get("/buckets/{bucket}/flows", p.flows)
	get("/backtest", p.backTest)
	get("/jobs/{job}/users", p.jobUsers)
	plain("POST", "/jobs/{job}/cancel", p.handle(p.cancel))
	post("/plan/deploy", p.deploy)
	post("/outbox/discard", p.discard)
	p.webhookRoutes(get, post)
	get("/keys", p.keys)
	post("/keys", p.createKey)
	post("/keys/{no}/revoke", p.revokeKey)
	plain("", "/", p.handle(p.nothing))
}

// userRoutes adds the pages of one user.
func (p *Page) userRoutes(get, post func(string, func(*ask) error)) {
	get("/user", p.user)
	post("/user/delete", p.deleteUser)
	post("/user/restore", p.restoreUser)
	post("/user/erase", p.eraseUser)
	get("/erasures", p.erasures)
	post("/erasures/confirm", p.confirmErasures)
	post("/erasures", p.eraseUsers)
	get("/user/merge", p.previewMerge)
	post("/user/merge", p.merge)
	get("/try", p.try)
	post("/try", p.send)
}

// webhookRoutes adds the pages of webhook endpoints.
func (p *Page) webhookRoutes(get, post func(string, func(*ask) error)) {
	get("/webhooks", p.webhooks)
	get("/webhooks/{webhook}", p.webhook)
	post("/webhooks", p.createWebhook)
	post("/webhooks/{webhook}/change", p.onWebhook("changed", changeWebhook))
	post("/webhooks/{webhook}/enable", p.onWebhook("enabled", enableWebhook))
	post("/webhooks/{webhook}/disable", p.onWebhook("disabled", disableWebhook))
	post("/webhooks/{webhook}/rotate", p.rotateWebhook)
	post("/webhooks/{webhook}/test", p.testWebhook)
	post("/webhooks/{webhook}/delete", p.deleteWebhook)
}
