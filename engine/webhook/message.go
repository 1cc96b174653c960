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
	id   string
	body []byte
}

// newMessage makes a message.
func newMessage(id, kind string, at time.Time, data any) (message, error) {
	body, err := json.Marshal(struct {
		Type      string    `json:"type"`
		Timestamp time.Time `json:"timestamp"`
		Data      any       `json:"data"`
	}{kind, at.UTC(), data})
	return message{id, body}, err
}

// announcement returns the message about a transition.
func announcement(t engine.Transition) (message, error) {
	return newMessage(idOf(t), "bucket."+string(t.Kind), t.At, t)
}

// idOf returns the webhook-id of a transition: the same at every attempt, and on its way to every endpoint. It is a hash of the
// key, in which there are users' names, which may be long, and hold what a header cannot; and of the instant, because a
// failover that loses commits lets a key come again for another transition.
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
