package registry

import "time"

// Assignment is a property with a value of its type, or without a value. [Traits] collects
// assignments.
type Assignment struct {
	name  string
	value any
}

// Traits returns the assignments as the traits of an ingest.
func Traits(assignments ...Assignment) map[string]any {
	traits := make(map[string]any, len(assignments))
	for _, a := range assignments {
		traits[a.name] = a.value
	}
	return traits
}

// The types of properties, by the type of their values. Generated code declares a property for each
// that definitions declare.
type (
	// TextProperty is a property with texts as values.
	TextProperty struct{ name string }
	// NumberProperty is a property with numbers as values.
	NumberProperty struct{ name string }
	// BoolProperty is a property with true or false as its value.
	BoolProperty struct{ name string }
	// TimeProperty is a property with instants as values.
	TimeProperty struct{ name string }
	// ListProperty is a property with lists of texts as values.
	ListProperty struct{ name string }
	// ObjectProperty is a property that is an object. Definitions declare only the properties
	// inside it.
	ObjectProperty struct{ name string }
)

// NewTextProperty is for generated code.
func NewTextProperty(name string) TextProperty { return TextProperty{name} }

// NewNumberProperty is for generated code.
func NewNumberProperty(name string) NumberProperty { return NumberProperty{name} }

// NewBoolProperty is for generated code.
func NewBoolProperty(name string) BoolProperty { return BoolProperty{name} }

// NewTimeProperty is for generated code.
func NewTimeProperty(name string) TimeProperty { return TimeProperty{name} }

// NewListProperty is for generated code.
func NewListProperty(name string) ListProperty { return ListProperty{name} }

// NewObjectProperty is for generated code.
func NewObjectProperty(name string) ObjectProperty { return ObjectProperty{name} }

// Name returns the name of the property.
func (p TextProperty) Name() string { return p.name }

// Set assigns a text.
func (p TextProperty) Set(v string) Assignment { return Assignment{p.name, v} }

// Remove removes the value.
func (p TextProperty) Remove() Assignment { return Assignment{p.name, nil} }

// Name returns the name of the property.
func (p NumberProperty) Name() string { return p.name }

// Set assigns a number.
func (p NumberProperty) Set(v float64) Assignment { return Assignment{p.name, v} }

// Remove removes the value.
func (p NumberProperty) Remove() Assignment { return Assignment{p.name, nil} }

// Name returns the name of the property.
func (p BoolProperty) Name() string { return p.name }

// Set assigns true or false.
func (p BoolProperty) Set(v bool) Assignment { return Assignment{p.name, v} }

// Remove removes the value.
func (p BoolProperty) Remove() Assignment { return Assignment{p.name, nil} }

// Name returns the name of the property.
func (p TimeProperty) Name() string { return p.name }

// Set assigns an instant.
func (p TimeProperty) Set(v time.Time) Assignment {
	return Assignment{p.name, instantText(v)}
}

// Remove removes the value.
func (p TimeProperty) Remove() Assignment { return Assignment{p.name, nil} }

// Name returns the name of the property.
func (p ListProperty) Name() string { return p.name }

// Set assigns a list of texts.
func (p ListProperty) Set(v ...string) Assignment {
	if v == nil {
		v = []string{} // an empty list, not null
	}
	return Assignment{p.name, v}
}

// Remove removes the value.
func (p ListProperty) Remove() Assignment { return Assignment{p.name, nil} }

// Name returns the name of the property.
func (p ObjectProperty) Name() string { return p.name }

// Set assigns an object, which replaces the previous one as a whole.
func (p ObjectProperty) Set(v map[string]any) Assignment {
	if v == nil {
		v = map[string]any{}
	}
	return Assignment{p.name, v}
}

// Remove removes the value.
func (p ObjectProperty) Remove() Assignment { return Assignment{p.name, nil} }
