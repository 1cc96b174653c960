package segment

import (
	"bytes"

	"github.com/bucketgen/bucketgen/internal/payload"
	"github.com/bucketgen/bucketgen/internal/strictjson"
)

// Member is a member with a text that is added to an object.
type Member struct{ Name, Text string }

// With adds members to an object, unless it has a member of that name, or their text is empty.
// Errors refer to the object by field. An object without members is nil.
func With(field string, object []byte, more []Member) ([]byte, error) {
	if object == nil {
		object = []byte("{}")
	}
	empty := true
	err := strictjson.Object(object, func(name, _ []byte) error {
		empty = false
		for i := range more {
			if more[i].Name == string(name) {
				more[i].Text = ""
			}
		}
		return nil
	})
	if err != nil {
		return nil, At(field, err)
	}
	end := bytes.LastIndexByte(object, '}')
	out := object[:end:end]
	for _, m := range more {
		if m.Text == "" {
			continue
		}
		if !empty {
			out = append(out, ',')
		}
		out = payload.AppendText(append(payload.AppendText(out, m.Name), ':'), m.Text)
		empty = false
	}
	if empty {
		return nil, nil
	}
	return append(out, '}'), nil
}

// Union returns an object with the members of both. If both have a member, the first one's counts.
func Union(first, second []byte) ([]byte, error) {
	given := map[string]bool{}
	out := []byte{'{'}
	add := func(name, value []byte) {
		if given[string(name)] {
			return
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(payload.AppendText(out, string(name)), ':')
		out = append(out, value...)
	}
	err := strictjson.Object(first, func(name, value []byte) error {
		add(name, value)
		given[string(name)] = true
		return nil
	})
	if err != nil {
		return nil, At("traits", err)
	}
	err = strictjson.Object(second, func(name, value []byte) error {
		add(name, value)
		return nil
	})
	if err != nil {
		return nil, At("context.traits", err)
	}
	return append(out, '}'), nil
}
