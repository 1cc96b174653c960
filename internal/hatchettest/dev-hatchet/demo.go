package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"sync"
	"time"
)

// demo waits for bucketd to print its address and key, and sends some events.
type demo struct {
	out  io.Writer
	send func(key, address string)
	once sync.Once
	seen []byte
}

var invitation = regexp.MustCompile(`curl -u (\S+): .* http://(\S+)/v1/track[^\n]*\n[^\n]*\n`)

// Write passes on what bucketd prints.
func (d *demo) Write(text []byte) (int, error) {
	n, err := d.out.Write(text)
	if d.seen = append(d.seen, text...); len(d.seen) < 1<<16 {
		if found := invitation.FindSubmatch(d.seen); found != nil {
			d.once.Do(func() { go d.send(string(found[1]), string(found[2])) })
		}
	}
	return n, err
}

// act sends events of a few users in the last two weeks, so that there are results within a minute.
func act(ctx context.Context, key, address string) error {
	now := time.Now().UTC()
	var batch []map[string]any
	did := func(user string, at time.Time, traits map[string]any) {
		call := map[string]any{"type": "track", "userId": user, "event": "app.active", "timestamp": at}
		if traits != nil {
			call = map[string]any{"type": "identify", "userId": user, "traits": traits}
		}
		batch = append(batch, call)
	}
	did("ada", now, map[string]any{"plan": "pro", "email": "ada@example.com"})
	for hours := range 5 {
		did("ada", now.Add(-time.Duration(hours)*time.Hour), nil)
	}
	did("bob", now, map[string]any{"plan": "trial", "trial_ends_at": now.Add(30 * time.Second)})
	for range 3 {
		did("cy", now.Add(-14*24*time.Hour+45*time.Second), nil)
	}
	body, err := json.Marshal(map[string]any{"batch": batch})
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/v1/import", bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.SetBasicAuth(key, "")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(answer.Body)
		return fmt.Errorf("%s: %s", answer.Status, text)
	}
	return nil
}

const acted = `demo: ada is in power-users now. bob is in trial-expiring-soon until his trial ends, in half a minute: the clock
  and a timer of Hatchet both look then, and he leaves once. cy goes dormant in three quarters of a minute. Look with, for one,
  %s explain trial-expiring-soon bob --database URL
`
