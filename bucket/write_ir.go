package bucket

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/bucketgen/bucketgen/internal/ir"
)

// Var is an exported variable of a definitions package. It exists for bucketgen and is not covered
// by the compatibility promise.
type Var struct {
	Name  string
	Value any
}

// WriteIR writes the definitions of the variables to the file, in the form that bucketgen reads. It
// exists for the program that bucketgen builds for a definitions package and is not covered by the
// compatibility promise.
func WriteIR(file string, vars ...Var) error {
	out := ir.File{Version: ir.Version}
	for _, v := range vars {
		switch value := v.Value.(type) {
		case Definition:
			out.Definitions = append(out.Definitions, value.named(v.Name))
		case []Definition:
			for _, d := range value {
				out.Definitions = append(out.Definitions, d.named(v.Name))
			}
		case TextProperty:
			out.Properties = append(out.Properties, value.of.declared(v.Name))
		case NumberProperty:
			out.Properties = append(out.Properties, value.of.declared(v.Name))
		case BoolProperty:
			out.Properties = append(out.Properties, value.of.declared(v.Name))
		case TimeProperty:
			out.Properties = append(out.Properties, value.of.declared(v.Name))
		case ListProperty:
			out.Properties = append(out.Properties, value.of.declared(v.Name))
		case EventName:
			out.Events = append(out.Events, ir.Event{GoName: v.Name, Name: value.check.Name})
		case TextField:
			out.Fields = append(out.Fields, value.of.field(v.Name))
		case NumberField:
			out.Fields = append(out.Fields, value.of.field(v.Name))
		case BoolField:
			out.Fields = append(out.Fields, value.of.field(v.Name))
		case TimeField:
			out.Fields = append(out.Fields, value.of.field(v.Name))
		case ListField:
			out.Fields = append(out.Fields, value.of.field(v.Name))
		default:
			return fmt.Errorf("variable %s has type %T, which this version of package bucket cannot describe", v.Name, v.Value)
		}
	}
	data, err := json.Marshal(out)
	if err != nil {
		return fmt.Errorf("describe the definitions: %w", err)
	}
	return os.WriteFile(file, data, 0o600)
}

func (d Definition) named(goName string) ir.Definition {
	def := d.def
	def.GoName = goName
	return def
}

func (r reference) declared(goName string) ir.Property {
	return ir.Property{GoName: goName, Name: r.name, Path: r.path, Type: r.typ, TraitsOnly: r.traitsOnly}
}

func (r reference) field(goName string) ir.Field {
	return ir.Field{GoName: goName, Event: r.event, Name: r.name, Path: r.path, Type: r.typ}
}
