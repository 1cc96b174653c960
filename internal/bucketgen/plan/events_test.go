package plan_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/bucketgen/bucketgen/internal/bucketgen/plan"
	"github.com/bucketgen/bucketgen/internal/ir"
	"github.com/bucketgen/bucketgen/registry/table"
)

// typeOf is an event type without comments.
func typeOf(goName, name string, fields ...plan.FieldType) plan.EventType {
	return plan.EventType{Naming: plan.Naming{GoName: goName}, Name: name, Fields: fields}
}

func fieldType(goName string, typ table.ValueKind, name string, path ...string) plan.FieldType {
	return plan.FieldType{Naming: plan.Naming{GoName: goName}, Name: name, Path: path, Type: typ}
}

// where is a condition on occurrences with such a field.
func where(event, field string, typ ir.Type, path ...string) *ir.Node {
	return &ir.Node{Op: ir.OpEvent, Event: &ir.EventCheck{Name: event, Operator: ir.Gte, Count: 1, Filter: &ir.Node{
		Op: ir.OpProperty, Property: &ir.PropertyCheck{Event: event, Name: field, Path: path, Type: typ, Operator: ir.Exists},
	}}}
}

func TestEventTypes(t *testing.T) {
	t.Parallel()
	declared := func(goName, name string) ir.Event { return ir.Event{GoName: goName, Name: name} }
	field := func(goName, event, name string, typ ir.Type, path ...string) ir.Field {
		return ir.Field{GoName: goName, Event: event, Name: name, Type: typ, Path: path}
	}
	tests := map[string]struct {
		file ir.File
		want []plan.EventType
	}{
		"none": {ir.File{}, []plan.EventType{}},
		"declared, by name": {
			ir.File{Events: []ir.Event{declared("Visit", "visit"), declared("Bought", "purchase")}},
			[]plan.EventType{typeOf("BoughtEvent", "purchase"), typeOf("VisitEvent", "visit")},
		},
		"called an event": {
			ir.File{Events: []ir.Event{declared("VisitEvent", "visit")}, Fields: []ir.Field{field("VisitPage", "visit", "page", ir.Text)}},
			[]plan.EventType{typeOf("VisitEvent", "visit", fieldType("Page", table.Text, "page"))},
		},
		"of several variables the last": {
			ir.File{
				Events: []ir.Event{declared("Visit", "visit"), declared("Call", "visit")},
				Fields: []ir.Field{field("Page", "visit", "page", ir.Text), field("URL", "visit", "page", ir.Text)},
			},
			[]plan.EventType{typeOf("CallEvent", "visit", fieldType("URL", table.Text, "page"))},
		},
		"asked about only": {
			ir.File{Definitions: []ir.Definition{dynamic("a", all(
				where("app.active", "screen", ir.Text), where("app.active", "address", ir.Text, "country"), event("1st", ir.Gte, 1, 0), where("日本", "日本", ir.Bool),
			))}},
			[]plan.EventType{
				typeOf("Event1stEvent", "1st"),
				typeOf("AppActiveEvent", "app.active", fieldType("AddressCountry", table.Text, "address", "country"), fieldType("Screen", table.Text, "screen")),
				typeOf("Event", "日本", fieldType("Property", table.Bool, "日本")),
			},
		},
		"asked about in sequences": {
			ir.File{Definitions: []ir.Definition{dynamic("a", &ir.Node{Op: ir.OpSequence, Sequence: &ir.SequenceCheck{Within: week, Steps: []ir.SequenceStep{
				{Event: "cart", Key: &ir.PropertyCheck{Event: "cart", Name: "order", Type: ir.Text}},
				{Event: "purchase", Filter: where("purchase", "amount", ir.Number).Event.Filter, Key: &ir.PropertyCheck{Event: "purchase", Name: "order", Type: ir.Text}},
			}}})}},
			[]plan.EventType{
				typeOf("CartEvent", "cart", fieldType("Order", table.Text, "order")),
				typeOf("PurchaseEvent", "purchase", fieldType("Amount", table.Number, "amount"), fieldType("Order", table.Text, "order")),
			},
		},
		"declared by its field only": {
			ir.File{Fields: []ir.Field{field("Page", "visit", "page", ir.Text)}},
			[]plan.EventType{typeOf("VisitEvent", "visit", fieldType("Page", table.Text, "page"))},
		},
		"event before the field": {
			ir.File{
				Events: []ir.Event{declared("Visit", "visit")},
				Fields: []ir.Field{
					field("Visit", "visit", "a", ir.Text), field("VisitPage", "visit", "b", ir.List), field("Visitor", "visit", "c", ir.Time), field("Page", "other", "b", ir.Text),
				},
			},
			[]plan.EventType{
				typeOf("OtherEvent", "other", fieldType("Page", table.Text, "b")),
				typeOf("VisitEvent", "visit", fieldType("Visit", table.Text, "a"), fieldType("Page", table.List, "b"), fieldType("Visitor", table.Time, "c")),
			},
		},
		"names that are taken": {
			ir.File{
				Events: []ir.Event{declared("Visit", "z")},
				Fields: []ir.Field{field("By", "z", "a", ir.Text), field("In", "z", "b", ir.Text), field("Page", "z", "d", ir.Text)},
				Definitions: []ir.Definition{
					{ID: "call-event", Kind: ir.Manual},
					dynamic("a", all(where("z", "page", ir.Text), where("visit", "page", ir.Text), event("call", ir.Gte, 1, 0))),
				},
			},
			[]plan.EventType{
				typeOf("CallEvent_", "call"),
				typeOf("VisitEvent_", "visit", fieldType("Page", table.Text, "page")),
				typeOf("VisitEvent", "z", fieldType("By_", table.Text, "a"), fieldType("In_", table.Text, "b"), fieldType("Page", table.Text, "d"), fieldType("Page_", table.Text, "page")),
			},
		},
		"one field of two types": {
			ir.File{Fields: []ir.Field{field("Amount", "visit", "amount", ir.Number), field("AmountText", "visit", "amount", ir.Text)}},
			[]plan.EventType{typeOf("VisitEvent", "visit", fieldType("Amount", table.Number, "amount"), fieldType("AmountText", table.Text, "amount"))},
		},
		"no type": {
			ir.File{Definitions: []ir.Definition{dynamic("a", where("visit", "page", ir.Any))}},
			[]plan.EventType{typeOf("VisitEvent", "visit")},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := plan.Build(&tt.file).EventTypes
			if d := cmp.Diff(tt.want, got, cmpopts.EquateEmpty()); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
		})
	}
}

// TestEventTypeComments checks that a comment begins with the name that the type or field has, and
// knows its file.
func TestEventTypeComments(t *testing.T) {
	t.Parallel()
	got := plan.Build(&ir.File{
		Events: []ir.Event{{GoName: "Visit", Name: "visit", Doc: "Visit occurs.\n", Pos: ir.Pos{File: "a/vocab.go", Line: 1}}},
		Fields: []ir.Field{{GoName: "VisitPage", Event: "visit", Name: "page", Type: ir.Text, Doc: "VisitPage is a page.\n", Pos: ir.Pos{File: "a/fields.go", Line: 1}}},
	}).EventTypes
	want := []plan.EventType{{
		Naming: plan.Naming{GoName: "VisitEvent", Doc: "VisitEvent occurs.\n", File: "vocab.go"}, Name: "visit",
		Fields: []plan.FieldType{{Naming: plan.Naming{GoName: "Page", Doc: "Page is a page.\n", File: "fields.go"}, Name: "page", Type: table.Text}},
	}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}
