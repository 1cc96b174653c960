package studio

import (
	"net/http"
	"strconv"

	"github.com/bucketgen/bucketgen/engine/server/client"
	"github.com/bucketgen/bucketgen/engine/studio/internal/view"
)

// live shows transitions as they happen.
func (p *Page) live(a *ask) error {
	a.as("Live", "live")
	return a.show(view.LivePage(a.page))
}

// outbox shows what waits for delivery, and what was given up.
func (p *Page) outbox(a *ask) error {
	a.as("Outbox", "outbox")
	var all boxes
	backlogs := load(&all, func() (client.Outbox, error) { return a.api.GetOutbox(a.ctx) })
	if a.part() == "backlogs" {
		all.done()
		if backlogs.Problem != nil {
			return backlogs.Problem
		}
		return a.write(http.StatusOK, view.Backlogs(a.page, backlogs))
	}
	letters := load(&all, func() (client.DeadLetters, error) {
		return a.api.ListDeadLetters(a.ctx, client.ListDeadLettersParams{
			Limit: onPage, After: a.query("after"), Subscription: a.query("subscription"), Bucket: a.query("bucket"), User: a.query("user"),
			Error: a.query("error"), Order: client.ListDeadLettersParamsOrderNewest,
		})
	})
	all.done()
	return a.show(view.OutboxPage(a.page, backlogs, letters))
}

// replay delivers dead letters again: those that were chosen, or all.
func (p *Page) replay(a *ask) error {
	body := client.Replay{All: a.r.PostFormValue("all") != ""}
	for _, text := range a.r.PostForm["letter"] {
		id, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return &client.Problem{Status: http.StatusBadRequest, Title: "Bad Request", Field: "letter", Detail: "is no number"}
		}
		body.IDs = append(body.IDs, id)
	}
	if _, err := a.api.ReplayDeadLetters(a.ctx, body); err != nil {
		return err
	}
	return a.back("/outbox", nil, "replay")
}

// health says how the installation is.
func (p *Page) health(a *ask) error {
	a.as("Health", "health")
	var all boxes
	summary := load(&all, func() (client.Summary, error) { return a.api.GetSummary(a.ctx, client.GetSummaryParams{}) })
	processes := load(&all, func() (client.Processes, error) { return a.api.ListProcesses(a.ctx) })
	due := load(&all, func() (client.Due, error) { return a.api.GetDue(a.ctx, client.GetDueParams{Hours: 48}) })
	findings := load(&all, func() (client.Health, error) { return a.api.GetHealth(a.ctx) })
	all.done()
	return a.show(view.HealthPage(a.page, summary, view.Findings(a.page, findings), processes, due))
}

// audit lists who changed what.
func (p *Page) audit(a *ask) error {
	a.as("Audit", "audit")
	var all boxes
	entries := load(&all, func() (client.AuditLog, error) {
		return a.api.ListAudit(a.ctx, client.ListAuditParams{
			Limit: onPage, After: a.query("after"), By: a.query("by"), Action: a.query("action"), Bucket: a.query("bucket"), User: a.query("user"),
		})
	})
	all.done()
	return a.show(view.AuditPage(a.page, entries))
}

// plan shows what a deployment of this program would change.
func (p *Page) plan(a *ask) error {
	a.as("Plan", "plan")
	var all boxes
	plan := load(&all, func() (client.Plan, error) {
		sample, err := strconv.ParseFloat(a.query("sample"), 64)
		if err != nil {
			sample = 0
		}
		return a.api.GetPlan(a.ctx, client.GetPlanParams{Sample: sample, Emit: client.Emit(a.query("emit"))})
	})
	processes := load(&all, func() (client.Processes, error) { return a.api.ListProcesses(a.ctx) })
	deployments := load(&all, func() (client.Deployments, error) {
		return a.api.ListDeployments(a.ctx, client.ListDeploymentsParams{Limit: onPage})
	})
	all.done()
	return a.show(view.PlanPage(a.page, plan, processes, deployments))
}

// deployment shows one deployment.
func (p *Page) deployment(a *ask) error {
	no, err := strconv.ParseInt(a.r.PathValue("no"), 10, 64)
	if err != nil {
		return p.nothing(a)
	}
	a.as("Deployment "+strconv.FormatInt(no, 10), "plan")
	d, err := a.api.GetDeployment(a.ctx, no)
	if err != nil {
		return err
	}
	if a.part() == "deployment" {
		return a.write(http.StatusOK, view.DeploymentBox(a.page, d))
	}
	return a.show(view.DeploymentPage(a.page, d))
}
