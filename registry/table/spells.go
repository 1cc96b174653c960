package table

// SpellsTime reports whether the value is a text that spells an instant, in the form in which a property that is declared as a time
// takes it.
func (v Value) SpellsTime() bool { return v.asTime().Kind == Time }
