package view

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/bucketgen/bucketgen/engine/identity"
	"github.com/bucketgen/bucketgen/engine/server/client"
)

// icons are the pictures of states.
var icons = map[string]string{
	"ok":    "M3 8.500l3.500 3.500L13 5",
	"warn":  "M8 2l6.500 12h-13zM8 6.500v3.500M8 12v.5",
	"bad":   "M4 4l8 8M12 4l-8 8",
	"pause": "M5 3v10M11 3v10",
	"wait":  "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM8 5v3l2 2",
	"clock": "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM8 4.500V8l2.500 1.500",
	"hand":  "M3 8h10M8 3v10",
	"in":    "M8 13V3M4 7l4-4 4 4",
	"out":   "M8 3v10M4 9l4 4 4-4",
	"tick":  "M8 4v4M8 11v.5",
	"none":  "M3 8h10",
}

// doneWords say what was done, by the name of the change.
var doneWords = map[string]string{
	"pause":     "The bucket is paused. Its memberships stay as they are until it is resumed.",
	"resume":    "The bucket is resumed. Users who began or ceased to match join or leave now.",
	"add":       "The users were added.",
	"remove":    "The users were removed.",
	"delete":    "The user was deleted.",
	"restore":   "The user was restored.",
	"erase":     "The person was erased.",
	"eraseAll":  "The persons are erased now.",
	"merge":     "The users were merged.",
	"replay":    "The dead letters are delivered again.",
	"discard":   "The dead letters were discarded.",
	"retire":    "The bucket is being retired.",
	"revoke":    "The key was revoked.",
	"created":   "It was created.",
	"changed":   "It was changed.",
	"deleted":   "It was deleted.",
	"deploy":    "The definitions are deployed. Users are evaluated now.",
	"sent":      "The event was sent. What it changed is in the timeline.",
	"enabled":   "The endpoint is enabled.",
	"disabled":  "The endpoint is disabled.",
	"cancelled": "The job was cancelled.",
}

// roleWords describe what a person may do.
func roleWords(p identity.Person) string {
	switch {
	case p.Masked:
		return "read, masked"
	case p.Role == "":
		return "not signed in"
	default:
		return string(p.Role)
	}
}

// visible reports whether a person sees an entry of the navigation.
func (p Page) visible(name string) bool {
	switch name {
	case "keys", "try":
		return p.Person.MayChange()
	case "live", "outbox", "audit", "erasures", "events", "webhooks":
		return !p.Person.Masked
	default:
		return p.Person.Name != ""
	}
}

// continues matches a detail whose subject is the field.
var continues = regexp.MustCompile(`^(is|are|has|have|must|may|can|cannot|needs?) `)

// Sentence is the detail of a problem as a sentence.
func Sentence(p *client.Problem) string {
	text := p.Detail
	if p.Field != "" && continues.MatchString(text) {
		text = p.Field + " " + text
	}
	if text == "" {
		text = p.Title
	}
	first, size := utf8.DecodeRuneInString(text)
	text = string(unicode.ToUpper(first)) + text[size:]
	if !strings.HasSuffix(text, ".") {
		text += "."
	}
	return text
}
