package table

import "encoding/json"

// setPaths sets the properties that lie inside of a property: they follow it in the table.
func (f *Facts) setPaths(root PropertyIndex, v Value) {
	rows := f.registry.Properties
	var object map[string]any
	for p := root + 1; int(p) < len(rows) && rows[p].Name == rows[root].Name; p++ {
		if object == nil {
			object = v.object()
		}
		f.put(p, inside(object, rows[p].Path))
	}
}

// object returns what is in a value that is an object, and nothing of any other.
func (v Value) object() map[string]any {
	var object map[string]any
	if v.Kind == Composite && v.Text != "" && v.Text[0] == '{' {
		if json.Unmarshal([]byte(v.Text), &object) != nil {
			return nil // whoever hands over a value has checked it
		}
	}
	return object
}

// inside returns the value that a path leads to. It goes through objects only.
func inside(object map[string]any, path []string) Value {
	for _, key := range path[:len(path)-1] {
		object, _ = object[key].(map[string]any)
	}
	switch v := object[path[len(path)-1]].(type) {
	case nil:
		return Value{}
	case bool:
		return Value{Kind: Bool, Bool: v}
	case float64:
		return Value{Kind: Number, Number: v}
	case string:
		return Value{Kind: Text, Text: v}
	case []any:
		return listOf(v)
	default:
		return Value{Kind: Composite}
	}
}

// as is the value as that of a property of a type: a text becomes an instant where the property is a time, and only
// where the property is a list is anything known of a list but that it exists.
func (v Value) as(typ ValueKind) Value {
	switch {
	case typ == Time:
		v = v.asTime()
	case typ == List:
		v = v.asList()
	case v.Kind == List:
		v = Value{Kind: Composite}
	}
	if v.Kind == Composite {
		v.Text = ""
	}
	return v
}
