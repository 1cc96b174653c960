package refeval

import (
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"time"

	"github.com/bucketgen/bucketgen/internal/ir"
)

// compareEvent answers a condition on an event by going through everything that the user ever did.
func compareEvent(e *ir.EventCheck, f *Facts, now time.Time) bool {
	switch e.Aggregate {
	case ir.FirstTime:
		ever := *e
		ever.Window = nil
		first := slices.MinFunc(append(counted(&ever, f, now), Event{At: endOfTime}), func(a, b Event) int { return a.At.Compare(b.At) })
		return first.At.After(now.Add(-e.Window.Last)) && !first.At.After(now)
	case ir.First, ir.Last:
		return compareProperty(e.Field, single(e, f, now), now)
	case ir.Distinct:
		return compareCount(e.Operator, different(counted(e, f, now), func(ev Event) any {
			switch v := valueOf(e.Field, &Facts{Properties: ev.Properties}).(type) {
			case []any, map[string]any:
				return nil
			case string:
				if t, isInstant := instant(v); isInstant && e.Field.Type == ir.Time {
					return t
				}
				return v
			default:
				return v
			}
		}), e.Count)
	case ir.DistinctDays:
		return compareCount(e.Operator, different(counted(e, f, now), func(ev Event) any {
			year, month, day := dateOf(ev.At, e.Zone)
			return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
		}), e.Count)
	case ir.Sum, ir.Avg, ir.Min, ir.Max:
		return compareQuantity(e, numbersOf(e, f, now))
	default:
		return compareCount(e.Operator, len(counted(e, f, now)), e.Count)
	}
}

// single returns the payload of the first or last occurrence, or nothing.
func single(e *ir.EventCheck, f *Facts, now time.Time) *Facts {
	var found *Event
	for _, ev := range counted(e, f, now) { // in the order of arrival
		if found == nil || e.Aggregate == ir.First && ev.At.Before(found.At) || e.Aggregate == ir.Last && !ev.At.Before(found.At) {
			found = &ev
		}
	}
	if found == nil {
		return &Facts{}
	}
	return &Facts{Properties: found.Properties}
}

var endOfTime = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// counted returns the occurrences that pass the filter and are in the window.
func counted(e *ir.EventCheck, f *Facts, now time.Time) []Event {
	var all []Event
	for _, ev := range f.Events {
		payload := &Facts{Properties: ev.Properties}
		if ev.Name == e.Name && (e.Filter == nil || Holds(e.Filter, payload, ev.At)) && inWindow(e.Window, ev.At, now) {
			all = append(all, ev)
		}
	}
	return all
}

func inWindow(w *ir.Window, at, now time.Time) bool {
	switch {
	case w == nil:
		return true
	case w.Calendar != "":
		begin, end := period(calendar(w), now)
		return !at.Before(begin) && at.Before(end) && !at.After(now)
	case w.From != nil && at.Before(w.From.Truncate(micro)), w.To != nil && !at.Before(w.To.Truncate(micro)):
		return false
	case w.From != nil || w.To != nil:
		return true
	default:
		return at.After(now.Add(-w.Last)) && !at.After(now.Add(-w.Until))
	}
}

// calendar is a window as the condition on a property whose period it is.
func calendar(w *ir.Window) *ir.PropertyCheck {
	operator := map[ir.Calendar]ir.Operator{ir.Day: ir.Today, ir.Week: ir.ThisWeek, ir.Month: ir.ThisMonth}[w.Calendar]
	return &ir.PropertyCheck{Operator: operator, Zone: w.Zone}
}

// different counts what differs, leaving out what is nothing.
func different(events []Event, what func(Event) any) int {
	seen := map[any]bool{}
	for _, ev := range events {
		if v := what(ev); v != nil {
			seen[v] = true
		}
	}
	return len(seen)
}

// numbersOf returns the numbers in the field of the occurrences that count.
func numbersOf(e *ir.EventCheck, f *Facts, now time.Time) []*big.Rat {
	var numbers []*big.Rat
	for _, ev := range counted(e, f, now) {
		if v, isNumber := valueOf(e.Field, &Facts{Properties: ev.Properties}).(float64); isNumber {
			numbers = append(numbers, exactly(v))
		}
	}
	return numbers
}

// exactly is a number as its shortest decimal form says it.
func exactly(v float64) *big.Rat {
	r, ok := new(big.Rat).SetString(strconv.FormatFloat(v, 'f', -1, 64))
	if !ok {
		panic(fmt.Sprintf("%v is no number", v))
	}
	return r
}

func compareQuantity(e *ir.EventCheck, numbers []*big.Rat) bool {
	sum := new(big.Rat)
	for _, n := range numbers {
		sum.Add(sum, n)
	}
	quantity := sum
	switch {
	case e.Aggregate == ir.Sum:
	case len(numbers) == 0:
		return false
	case e.Aggregate == ir.Avg:
		quantity = sum.Quo(sum, big.NewRat(int64(len(numbers)), 1))
	case e.Aggregate == ir.Min:
		quantity = slices.MinFunc(numbers, (*big.Rat).Cmp)
	default:
		quantity = slices.MaxFunc(numbers, (*big.Rat).Cmp)
	}
	return compareCount(e.Operator, quantity.Cmp(exactly(*e.Number)), 0)
}

// eventInstants are the instants at which an occurrence may begin or cease to count.
func eventInstants(e *ir.EventCheck, f *Facts) []time.Time {
	if e.Aggregate == ir.First || e.Aggregate == ir.Last {
		return propertyInstants(e.Field, single(e, f, endOfTime))
	}
	if e.Window == nil {
		return nil
	}
	var all []time.Time
	for _, ev := range f.Events {
		if ev.Name != e.Name {
			continue
		}
		all = append(all, ev.At, ev.At.Add(e.Window.Until), ev.At.Add(e.Window.Last))
		if e.Window.Calendar != "" {
			_, end := period(calendar(e.Window), ev.At)
			all = append(all, end)
		}
	}
	return all
}

func describeEvent(e *ir.EventCheck) string {
	text := e.Name
	if e.Filter != nil {
		text += " where " + DescribeNode(e.Filter)
	}
	switch {
	case e.Aggregate == ir.First || e.Aggregate == ir.Last:
		text += fmt.Sprintf(" %s has ", e.Aggregate) + describeProperty(e.Field)
	case e.Field != nil:
		text += fmt.Sprintf(" %s of %v", e.Aggregate, append([]string{e.Field.Name}, e.Field.Path...))
	case e.Aggregate != ir.Count:
		text += " " + string(e.Aggregate)
	}
	if e.Number != nil {
		text += fmt.Sprintf(" %s %v", e.Operator, *e.Number)
	} else {
		text += fmt.Sprintf(" %s %d", e.Operator, e.Count)
	}
	if e.Zone != "" {
		text += " in " + e.Zone
	}
	if w := e.Window; w != nil {
		switch {
		case w.Calendar != "":
			text += fmt.Sprintf(" this %s in %s", w.Calendar, w.Zone)
		case w.Ago:
			text += fmt.Sprintf(" from %s ago until %s ago", w.Last, w.Until)
		case w.Last != 0:
			text += " within " + w.Last.String()
		default:
			text += fmt.Sprintf(" from %v to %v", w.From, w.To)
		}
	}
	return text
}
