package table

import "encoding/json"

// setPaths sets the properties inside a property. They follow it in the table.
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

// object returns the members of a value that is an object, and nil for any other value.
func (v Value) object() map[string]any {
	var object map[string]any
	if v.Kind == Composite && v.Text != "" && v.Text[0] == '{' {
		if json.Unmarshal([]byte(v.Text), &object) != nil {
			return nil // the caller has checked the value
		}
	}
	return object
}

// inside returns the value at a path, which goes through objects only.
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

// as converts the value to the type of a property. A text becomes an instant if the property is a
// time. The elements of a list are read only if the property is a list.
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
