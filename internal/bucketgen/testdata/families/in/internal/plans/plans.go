// Package plans is internal to the module of the definitions.
package plans

// All are the plans that there are.
var All = []string{"Free", "Pro"}
