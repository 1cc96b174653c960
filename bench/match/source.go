package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/bucketgen/bucketgen/internal/ir"
)

// What follows is the workload in the language that expr and cel-go have in common. It is made easy
// for them: everything that a condition asks for is a variable, so "at least three within a week"
// is a comparison of the third newest instant.

// environment returns the variables of a user.
func environment(u *user) map[string]any {
	env := map[string]any{field: u.amount}
	for p, text := range u.texts {
		env[textName(p)] = text
	}
	for p, number := range u.numbers {
		env[numberName(p)] = number
	}
	for e, history := range u.history {
		for n := range most {
			at := int64(math.MinInt64)
			if n < len(history) {
				at = int64(history[n])
			}
			env[newestName(eventName(e), n+1)] = at
		}
	}
	return env
}

// newestName is the variable that has the n-th newest instant of an event.
func newestName(event string, n int) string {
	return strings.ReplaceAll(event, ".", "_") + "_" + strconv.Itoa(n)
}

// sourceOf writes a criteria of the workload.
func sourceOf(n *ir.Node) string {
	switch n.Op {
	case ir.OpAll:
		children := make([]string, len(n.Children))
		for i, child := range n.Children {
			children[i] = sourceOf(child)
		}
		return strings.Join(children, " && ")
	case ir.OpEvent:
		since := int64(math.MinInt64)
		if n.Event.Window != nil {
			since = int64(now.Add(-n.Event.Window.Last))
		}
		occurred := fmt.Sprintf("%s > %s", newestName(n.Event.Name, n.Event.Count), integer(since))
		if n.Event.Filter == nil {
			return occurred
		}
		return occurred + " && " + sourceOf(n.Event.Filter)
	default:
		return propertySource(n.Property)
	}
}

// integer is a number as both languages read it: the least of all is none that expr can.
func integer(n int64) string { return strconv.FormatInt(max(n, math.MinInt64+1), 10) }

func propertySource(c *ir.PropertyCheck) string {
	switch c.Operator {
	case ir.Eq:
		return fmt.Sprintf("%s == %q", c.Name, *c.Value.Text)
	case ir.In:
		list := make([]string, len(c.Values))
		for i, v := range c.Values {
			list[i] = strconv.Quote(*v.Text)
		}
		return fmt.Sprintf("%s in [%s]", c.Name, strings.Join(list, ", "))
	case ir.Gt:
		return fmt.Sprintf("%s > %.1f", c.Name, *c.Value.Number)
	case ir.Lt:
		return fmt.Sprintf("%s < %.1f", c.Name, *c.Value.Number)
	default: // ir.Between
		return fmt.Sprintf("%s >= %.1f && %s <= %.1f", c.Name, *c.Values[0].Number, c.Name, *c.Values[1].Number)
	}
}
