// Package rollout brings users to a deployment: it plans one, takes all users through it, and
// repairs or ends memberships page by page.
package rollout
