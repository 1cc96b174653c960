package refeval

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"
)

// The limits of an ingest, as they are by default.
const (
	skew       = 5 * time.Minute
	maxUser    = 255
	maxName    = 200
	maxKey     = 255
	maxPayload = 32 << 10
)

// objects are what an ingest carries.
type objects struct{ properties, traits, once map[string]any }

// refuse says why an ingest is refused, or nothing. It returns what it reads on the way.
func refuse(s *Action) (o objects, why string) {
	if why := s.wrongID(); why != "" {
		return o, why
	}
	switch {
	case s.Name == "" && s.Traits == nil && s.TraitsOnce == nil:
		return o, "the event has no name"
	case s.Name != "" && strings.TrimSpace(s.Name) == "":
		return o, "the event's name is blank"
	case strings.HasPrefix(s.Name, "bucket:") || strings.HasPrefix(s.Key, "bucket:"):
		return o, `"bucket:" is for transitions`
	case len(s.Name) > maxName || len(s.Key) > maxKey:
		return o, "a name is too long"
	case !s.OccurredAt.IsZero() && s.OccurredAt.After(s.At.Add(skew)):
		return o, "the event is in the future"
	}
	for _, text := range append(s.names(), s.Name, s.Key) {
		if why := badText(text); why != "" {
			return o, why
		}
	}
	if o.properties, why = readObject(s.Properties); why != "" {
		return o, "properties: " + why
	}
	if o.traits, why = readObject(s.Traits); why != "" {
		return o, "traits: " + why
	}
	if o.once, why = readObject(s.TraitsOnce); why != "" {
		return o, "traits once: " + why
	}
	return o, ""
}

// surrogate is the half of a character outside the basic plane, written as an escape. encoding/json
// puts another character in the place of one that stands alone.
var surrogate = regexp.MustCompile(`\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[dD][89a-fA-F][0-9a-fA-F]{2}`)

func readObject(raw []byte) (map[string]any, string) {
	if len(raw) > maxPayload {
		return nil, "too long"
	}
	if len(raw) == 0 {
		return nil, ""
	}
	if !utf8.Valid(raw) {
		return nil, "invalid UTF-8"
	}
	for _, escape := range surrogate.FindAllString(strings.ReplaceAll(string(raw), `\\`, ""), -1) {
		if len(escape) == len(`\ud800`) {
			return nil, "half a character"
		}
	}
	var object map[string]any
	if err := json.Unmarshal(raw, &object); err != nil { // also for numbers outside float64, and what is no object
		return nil, err.Error()
	}
	return object, badValue(object)
}

// badValue says what PostgreSQL could not store of a value.
func badValue(v any) string {
	switch v := v.(type) {
	case string:
		return badText(v)
	case []any:
		for _, element := range v {
			if why := badValue(element); why != "" {
				return why
			}
		}
	case map[string]any:
		for key, member := range v {
			if why := badText(key) + badValue(member); why != "" {
				return why
			}
		}
	}
	return ""
}

func badText(s string) string {
	switch {
	case !utf8.ValidString(s):
		return "invalid UTF-8"
	case strings.ContainsRune(s, 0):
		return fmt.Sprintf("%.40q contains U+0000", s)
	default:
		return ""
	}
}
