package client

import (
	"context"
	"iter"
)

// Members goes through the members of a bucket, page by page. After an error there are no more.
func (c *Client) Members(ctx context.Context, bucket string, params ListMembersParams) iter.Seq2[Member, error] {
	return pages(func(after string) ([]Member, string, error) {
		params.After = after
		page, err := c.ListMembers(ctx, bucket, params)
		return page.Members, page.Next, err
	}, params.After)
}

// Timeline goes through what happened to a user, page by page. After an error there is no more.
func (c *Client) Timeline(ctx context.Context, user string, params GetTimelineParams) iter.Seq2[Transition, error] {
	return pages(func(after string) ([]Transition, string, error) {
		params.After = after
		page, err := c.GetTimeline(ctx, user, params)
		return page.Transitions, page.Next, err
	}, params.After)
}

// Deployments goes through the deployments, the newest first, page by page. After an error there
// are no more.
func (c *Client) Deployments(ctx context.Context, params ListDeploymentsParams) iter.Seq2[Deployment, error] {
	return pages(func(after string) ([]Deployment, string, error) {
		params.After = after
		page, err := c.ListDeployments(ctx, params)
		return page.Deployments, page.Next, err
	}, params.After)
}

// DeadLetters goes through the deliveries that were given up, page by page. After an error there
// are no more.
func (c *Client) DeadLetters(ctx context.Context, params ListDeadLettersParams) iter.Seq2[DeadLetter, error] {
	return pages(func(after string) ([]DeadLetter, string, error) {
		params.After = after
		page, err := c.ListDeadLetters(ctx, params)
		return page.DeadLetters, page.Next, err
	}, params.After)
}

// pages goes through what is on pages, each of which says where the next one begins.
func pages[T any](read func(after string) ([]T, string, error), after string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for from := after; ; {
			page, next, err := read(from)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, one := range page {
				if !yield(one, nil) {
					return
				}
			}
			if next == "" {
				return
			}
			from = next
		}
	}
}
