package segment

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/bucketgen/bucketgen/internal/event"
	"github.com/bucketgen/bucketgen/internal/strictjson"
)

// Ignored is an external id that is not read, and why. An event is not lost for one.
type Ignored struct {
	Field, Problem string
}

// external is one of context.externalIds.
type external struct{ id, kind, collection, encoding string }

// maxExternal is how many external ids of a call are read.
const maxExternal = 20

// ExternalIDs returns the ids among context.externalIds whose types are declared, by their types,
// and which are ignored:
//
//	"externalIds": [{"id": "4711", "type": "crm", "collection": "users", "encoding": "none"}]
func ExternalIDs(context []byte, declared func(kind string) bool) (ids map[string]string, ignored []Ignored) {
	const member = "externalIds"
	if !bytes.Contains(context, []byte(member)) { // as most
		return nil, nil
	}
	r := externalReader{declared: declared, ids: map[string]string{}}
	err := strictjson.Envelope(context, func(name, value []byte) error {
		if string(name) == member && string(value) != "null" {
			r.list(value)
		}
		return nil
	})
	if err != nil {
		r.ignore("", "cannot be read: "+err.Error())
	}
	return r.ids, r.ignored
}

type externalReader struct {
	declared func(kind string) bool
	ids      map[string]string
	ignored  []Ignored
}

func (r *externalReader) ignore(place, problem string) {
	r.ignored = append(r.ignored, Ignored{"context.externalIds" + place, problem})
}

func (r *externalReader) list(list []byte) {
	n := 0
	err := strictjson.Array(list, func(element []byte) error {
		place := fmt.Sprintf("[%d]", n)
		switch n++; {
		case n == maxExternal+1:
			r.ignore(place, fmt.Sprintf("and what follows is ignored; send at most %d", maxExternal))
		case n <= maxExternal:
			r.read(place, element)
		}
		return nil
	})
	if err != nil {
		r.ignore("", err.Error())
	}
}

// read reads an external id, or notes why it is ignored.
func (r *externalReader) read(place string, element []byte) {
	var e external
	err := strictjson.Object(element, func(name, value []byte) (err error) {
		switch string(name) {
		case "id":
			e.id, err = strictjson.ID(value)
		case "type":
			e.kind, err = strictjson.Text(value)
		case "collection":
			e.collection, err = strictjson.Text(value)
		case "encoding":
			e.encoding, err = strictjson.Text(value)
		}
		return inMember(string(name), err)
	})
	e.id = strings.TrimSpace(e.id)
	switch problem := event.WrongID(e.id); {
	case err != nil:
		r.ignore(place, err.Error())
	case e.kind == "":
		r.ignore(place+".type", "is missing")
	case e.collection != "" && e.collection != "users":
		r.ignore(place+".collection", fmt.Sprintf("is %.40q; only ids of users are read", e.collection))
	case e.encoding != "" && e.encoding != "none":
		r.ignore(place+".encoding", fmt.Sprintf("is %.40q; send the id as it is", e.encoding))
	case !r.declared(e.kind):
		r.ignore(place+".type", fmt.Sprintf("is %.40q, which is not declared; declare it in engine.Config.IDKinds", e.kind))
	case problem != "":
		r.ignore(place+".id", problem)
	case r.ids[e.kind] != "" && r.ids[e.kind] != e.id:
		r.ignore(place+".type", fmt.Sprintf("is %q, as that of another id is; an event has one id of each type", e.kind))
	default:
		r.ids[e.kind] = e.id
	}
}

// inMember adds the name of a member to an error of reading its value.
func inMember(name string, err error) error {
	if err != nil {
		return fmt.Errorf("%s %w", name, err)
	}
	return nil
}
