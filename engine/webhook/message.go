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

// announcement returns the message about a delivery.
func announcement(d *engine.Delivery) (message, error) {
	kind, data := contentOf(d)
	m, err := newMessage(idOf(d.Transition), kind, d.Transition.At, data)
	m.fence = d.Transition.Fence
	return m, err
}

// contentOf returns the type of the message about a delivery, and what it carries.
func contentOf(d *engine.Delivery) (kind string, data any) {
	if d.Notice != nil {
		return "person." + string(d.Transition.Kind), d.Notice
	}
	return "bucket." + string(d.Transition.Kind), d.Transition
}

// one is a delivery as it stands in a webhook that carries several.
type one struct {
	ID        string    `json:"id"`
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"`
	Fence     int64     `json:"fence"`
	Data      any       `json:"data"`
}

// announcements returns the message about several deliveries. What they are may differ at the next
// attempt, so its id is of this attempt for those transitions; that of each transition is the same
// at every attempt.
func announcements(batch []engine.Delivery, now time.Time) (message, error) {
	all, ids := make([]one, len(batch)), sha256.New()
	for i := range batch {
		t := &batch[i].Transition
		all[i] = one{ID: idOf(*t), Timestamp: t.At.UTC(), Fence: t.Fence}
		all[i].Type, all[i].Data = contentOf(&batch[i])
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
