package webhook

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	standard "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/bucketgen/bucketgen/engine"
)

// message is what is posted.
type message struct {
	id    string
	body  []byte
	fence int64 // of the one transition that it is about; 0: the body says it, or there is none
}

// newMessage makes a message.
func newMessage(id, kind string, at time.Time, data any) (message, error) {
	body, err := json.Marshal(struct {
		Type      string    `json:"type"`
		Timestamp time.Time `json:"timestamp"`
		Data      any       `json:"data"`
	}{kind, at.UTC(), data})
	return message{id: id, body: body}, err
}

// announcement returns the message about a transition.
func announcement(t engine.Transition) (message, error) {
	m, err := newMessage(idOf(t), "bucket."+string(t.Kind), t.At, t)
	m.fence = t.Fence
	return m, err
}

// one is a transition as it stands in a webhook that carries several.
type one struct {
	ID        string            `json:"id"`
	Type      string            `json:"type"`
	Timestamp time.Time         `json:"timestamp"`
	Fence     int64             `json:"fence"`
	Data      engine.Transition `json:"data"`
}

// announcements returns the message about several transitions. What they are may differ at the next
// attempt, so its id is of this attempt for those transitions; that of each transition is the same
// at every attempt.
func announcements(transitions []engine.Transition, now time.Time) (message, error) {
	all, ids := make([]one, len(transitions)), sha256.New()
	for i, t := range transitions {
		all[i] = one{ID: idOf(t), Type: "bucket." + string(t.Kind), Timestamp: t.At.UTC(), Fence: t.Fence, Data: t}
		ids.Write([]byte(all[i].ID))
	}
	return newMessage("msg_"+hex.EncodeToString(ids.Sum(nil)[:16]), "bucket.batch", now, all)
}

// idOf returns the webhook-id of a transition: the same at every attempt, and on its way to every
// endpoint. It is a hash of the key, in which there are users' names, which may be long, and hold
// what a header cannot; and of the instant, because a failover that loses commits lets a key come
// again for another transition.
func idOf(t engine.Transition) string {
	sum := sha256.Sum256([]byte(t.Key() + " " + t.At.UTC().Format(time.RFC3339Nano)))
	return "msg_" + hex.EncodeToString(sum[:16])
}

// newSecret makes a secret in the form in which receivers are given it, of 256 random bits.
func newSecret() string {
	secret := make([]byte, 32)
	rand.Read(secret) // it never fails
	return "whsec_" + base64.StdEncoding.EncodeToString(secret)
}

// sign returns the signatures of a message by each of some secrets.
func (m message) sign(secrets []string, at time.Time) (string, error) {
	signatures := make([]string, len(secrets))
	for i, secret := range secrets {
		w, err := standard.NewWebhook(secret)
		if err != nil {
			return "", fmt.Errorf("sign: %w", err)
		}
		if signatures[i], err = w.Sign(m.id, at, m.body); err != nil {
			return "", fmt.Errorf("sign: %w", err)
		}
	}
	return strings.Join(signatures, " "), nil
}
