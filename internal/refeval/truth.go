package refeval

import (
	"strings"
	"time"

	"github.com/bucketgen/bucketgen/internal/ir"
)

// Holds reports whether a criteria holds for a user at an instant.
func Holds(n *ir.Node, f *Facts, now time.Time) bool {
	switch n.Op {
	case ir.OpAll:
		for _, child := range n.Children {
			if !Holds(child, f, now) {
				return false
			}
		}
		return true
	case ir.OpAny:
		for _, child := range n.Children {
			if Holds(child, f, now) {
				return true
			}
		}
		return false
	case ir.OpNot:
		return !Holds(n.Children[0], f, now)
	case ir.OpEvent:
		return compareCount(n.Event.Operator, count(n.Event, f, now), n.Event.Count)
	default:
		return compareProperty(n.Property, f.Properties[n.Property.Name], now)
	}
}

// count counts the occurrences in (now-W, now], or all if there is no window.
func count(e *ir.EventCheck, f *Facts, now time.Time) int {
	n := 0
	for _, ev := range f.Events {
		if ev.Name != e.Name {
			continue
		}
		if e.Window == nil || ev.At.After(now.Add(-e.Window.Last)) && !ev.At.After(now) {
			n++
		}
	}
	return n
}

func compareCount(op ir.Operator, count, n int) bool {
	switch op {
	case ir.Eq:
		return count == n
	case ir.Gt:
		return count > n
	case ir.Gte:
		return count >= n
	case ir.Lt:
		return count < n
	case ir.Lte:
		return count <= n
	default:
		panic("no such comparison of a count: " + string(op))
	}
}

func compareProperty(p *ir.PropertyCheck, value any, now time.Time) bool {
	switch p.Operator {
	case ir.Exists:
		return value != nil
	case ir.NotExists:
		return value == nil
	case ir.Eq:
		return equal(value, p.Value)
	case ir.Neq:
		return !equal(value, p.Value)
	case ir.Gt, ir.Gte, ir.Lt, ir.Lte:
		number, isNumber := value.(float64)
		return isNumber && p.Value.Number != nil && compareNumber(p.Operator, number, *p.Value.Number)
	case ir.Contains:
		text, isText := value.(string)
		return isText && p.Value.Text != nil && strings.Contains(text, *p.Value.Text)
	default:
		t, isInstant := instant(value)
		return isInstant && compareInstant(p, t, now)
	}
}

// equal reports whether a value is of the operand's type and has its value. Lists and objects equal nothing.
func equal(value any, operand *ir.Value) bool {
	switch value := value.(type) {
	case string:
		return operand.Text != nil && *operand.Text == value
	case float64:
		return operand.Number != nil && *operand.Number == value
	case bool:
		return operand.Bool != nil && *operand.Bool == value
	default:
		return false
	}
}

func compareNumber(op ir.Operator, a, b float64) bool {
	switch op {
	case ir.Gt:
		return a > b
	case ir.Gte:
		return a >= b
	case ir.Lt:
		return a < b
	default:
		return a <= b
	}
}

func compareInstant(p *ir.PropertyCheck, t, now time.Time) bool {
	switch p.Operator {
	case ir.Before:
		return t.Before(p.Value.Time.Truncate(micro))
	case ir.After:
		return t.After(p.Value.Time.Truncate(micro))
	case ir.InTheLast: // (now-d, now]
		return t.After(now.Add(-p.Span)) && !t.After(now)
	case ir.MoreThanAgo: // <= now-d
		return !t.After(now.Add(-p.Span))
	case ir.InTheNext: // (now, now+d]
		return t.After(now) && !t.After(now.Add(p.Span))
	default:
		panic("no such comparison of an instant: " + string(p.Operator))
	}
}
