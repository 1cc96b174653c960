package engine

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/catalog"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Catalog is what definitions declare beside what arrives: event names, fields of payloads, and
// properties of users. What no definition declares is counted by samples and within bounds, see
// [Config.CatalogRows]; what one does declare is counted exactly, but for what lies inside of an
// object.
type Catalog struct {
	// Since is when the oldest of what is counted arrived; zero if nothing has. What did not arrive
	// for 90 days is forgotten.
	Since   time.Time      `json:"since,omitzero"`
	Entries []CatalogEntry `json:"entries"` // by kind, event and name
	Drift   []Drift        `json:"drift"`   // the most important first
}

// CatalogEntry is a name.
type CatalogEntry struct {
	Kind  CatalogKind `json:"kind"`
	Event string      `json:"event,omitempty"` // of an event or a field
	Name  string      `json:"name,omitempty"`  // of a field or a property: the path to it, with points between the keys

	Declared bool        `json:"declared"`        // a definition asks about it
	Types    []string    `json:"types,omitempty"` // that are declared; none: any will do, or it is an event
	Seen     []SeenType  `json:"seen,omitempty"`  // what arrived, by type; none: nothing
	Count    int64       `json:"count"`           // how often it arrived, whatever the type
	Near     []DriftName `json:"near,omitempty"`  // what may be meant by it; of what is declared and never arrived, what may stand for it
}

// CatalogKind says what a name of the catalog names.
type CatalogKind = bucketgen.CatalogKind

// The kinds of names.
const (
	CatalogEvent    = bucketgen.CatalogEvent
	CatalogField    = bucketgen.CatalogField    // of the payload of an event
	CatalogProperty = bucketgen.CatalogProperty // of users
)

// SeenType is what arrived with values of one type.
type SeenType struct {
	Type      string    `json:"type,omitempty"` // text, number, bool, time, list or object; empty of an event
	Count     int64     `json:"count"`
	Estimated bool      `json:"estimated,omitempty"` // the count comes from samples
	Wrong     bool      `json:"wrong,omitempty"`     // another type is declared: conditions take it for no value
	FirstSeen time.Time `json:"firstSeen"`
	LastSeen  time.Time `json:"lastSeen"`
}

// Drift is a difference between what is declared and what arrives.
type Drift = bucketgen.Drift

// DriftName is a name with its kind.
type DriftName = bucketgen.DriftName

// DriftKind is a kind of drift.
type DriftKind = bucketgen.DriftKind

// The kinds of drift.
const (
	// DriftMistyped is a declared field or property whose values arrive as another type. Types are
	// strict: such a value matches nothing.
	DriftMistyped = bucketgen.DriftMistyped

	// DriftUnseen is a declared name that has not arrived.
	DriftUnseen = bucketgen.DriftUnseen

	// DriftMisspelt is a name that arrives and is not declared, but is near one that is.
	DriftMisspelt = bucketgen.DriftMisspelt
)

// Catalog compares what definitions of this engine declare with what has arrived, in all processes
// on the database. Other processes write what they count every [Config.CatalogFlush], this one does
// at once. The engine need not have been started.
func (e *Engine) Catalog(ctx context.Context) (Catalog, error) {
	if err := e.open(ctx); err != nil {
		return Catalog{}, fmt.Errorf("catalog: %w", err)
	}
	if err := e.catalog.Flush(ctx); err != nil {
		return Catalog{}, fmt.Errorf("catalog: %w", err)
	}
	entries, err := catalog.Read(ctx, e.store.Queries(e.reads()), e.registry)
	if err != nil {
		return Catalog{}, err
	}
	return catalogOf(entries), nil
}

// CatalogName is an event name or a property, with what is known of it.
type CatalogName struct {
	CatalogEntry

	Last   time.Time     `json:"lastSeen,omitzero"` // when it last arrived; zero if it never has
	Hours  []CatalogHour `json:"hours"`             // in which it arrived, of this hour and the 23 before
	UsedBy []string      `json:"usedBy"`            // ids of buckets that ask about it, the first 20
	Uses   int           `json:"uses"`              // how many buckets do
}

// CatalogHour is how often a name arrived in an hour.
type CatalogHour struct {
	At    time.Time `json:"at"` // the beginning of the hour, in UTC
	Count int64     `json:"count"`
}

// NameQuery says which event names or properties to list. The zero value lists the first 100 event
// names.
type NameQuery struct {
	Properties bool   // Properties lists properties. Defaults to event names.
	Text       string // Text is a part of the name, in any letter case. Defaults to all.
	Declared   *bool  // Declared limits the list to declared names, or to others. Defaults to both.
	Seen       *bool  // Seen limits the list to names that have arrived, or to others. Defaults to both.
	After      string // After is the last name of the page before. Defaults to none, which begins.
	Size       int    // Size is how many names to return at most. Defaults to 100; more than 1000 are 1000.
}

// NamePage is a page of event names or properties, in their order.
type NamePage struct {
	Names []CatalogName
	Total int    // Total is the number of names on all pages
	Next  string // Next is the After of the next page; empty on the last one
	AsOf  time.Time
}

// mostUses is how many buckets are listed that ask about a name.
const mostUses = 20

// Names returns a page of the event names, or of the properties, that definitions of this engine
// declare or that have arrived, by [Engine.Catalog].
func (g *Inspect) Names(ctx context.Context, q NameQuery) (NamePage, error) {
	e, kind := (*Engine)(g), CatalogEvent
	if q.Properties {
		kind = CatalogProperty
	}
	c, err := e.Catalog(ctx)
	if err != nil {
		return NamePage{}, err
	}
	page := NamePage{Names: []CatalogName{}, AsOf: e.Now()}
	size := min(cmp.Or(max(q.Size, 0), 100), 1000)
	for i := range c.Entries {
		entry := &c.Entries[i]
		if entry.Kind != kind || !q.takes(entry) {
			continue
		}
		page.Total++
		switch {
		case entry.Event+entry.Name <= q.After:
		case len(page.Names) == size:
			page.Next = page.Names[size-1].Event + page.Names[size-1].Name
		default:
			page.Names = append(page.Names, CatalogName{CatalogEntry: *entry, Last: entry.LastSeen()})
		}
	}
	return page, e.completeNames(ctx, kind, &page)
}

// completeNames adds to names what the catalog does not have: hours, and buckets.
func (e *Engine) completeNames(ctx context.Context, kind CatalogKind, page *NamePage) error {
	hours, err := catalog.Hours(ctx, e.store.Queries(e.reads()), catalog.Kind(kind), page.AsOf.Add(time.Hour-catalog.KeptHours))
	if err != nil {
		return err
	}
	used := catalog.UsedBy(e.registry, catalog.Kind(kind))
	for i := range page.Names {
		n := &page.Names[i]
		name := catalog.Name{Kind: catalog.Kind(kind), Event: n.Event, Name: n.Name}
		n.Hours = make([]CatalogHour, len(hours[name]))
		for j, hour := range hours[name] {
			n.Hours[j] = CatalogHour(hour)
		}
		n.Uses = len(used[name])
		n.UsedBy = append([]string{}, used[name][:min(n.Uses, mostUses)]...)
	}
	return nil
}

// takes reports whether a name is asked for.
func (q *NameQuery) takes(e *CatalogEntry) bool {
	return strings.Contains(strings.ToLower(e.Event+e.Name), strings.ToLower(q.Text)) &&
		(q.Declared == nil || *q.Declared == e.Declared) && (q.Seen == nil || *q.Seen == (len(e.Seen) > 0))
}

// driftOf returns which values arrive as another type than is declared of what a bucket asks about:
// properties, and fields of events.
func (e *Engine) driftOf(ctx context.Context, b table.BucketIndex) ([]Drift, error) {
	row := &e.registry.Buckets[b]
	asked := map[catalog.Name]bool{}
	var of db.CatalogOfParams
	for _, p := range row.Properties {
		name := catalog.Path(e.registry.Properties[p].Name, e.registry.Properties[p].Path)
		of.Properties, asked[catalog.Name{Kind: catalog.Property, Name: name}] = append(of.Properties, name), true
	}
	for i := range e.registry.Fields {
		if f := &e.registry.Fields[i]; slices.Contains(row.Events, f.Event) {
			event := e.registry.Events[f.Event].Name
			of.Events, asked[catalog.Name{Kind: catalog.Field, Event: event, Name: catalog.Path(f.Name, f.Path)}] = append(of.Events, event), true
		}
	}
	if len(asked) == 0 {
		return nil, nil
	}
	entries, err := catalog.ReadOf(ctx, e.store.Queries(e.reads()), e.registry, of)
	if err != nil {
		return nil, err
	}
	var drift []Drift
	for _, d := range catalogOf(entries).Drift {
		if d.Kind == DriftMistyped && asked[catalog.Name{Kind: catalog.Kind(d.Of), Event: d.Event, Name: d.Name}] {
			drift = append(drift, d)
		}
	}
	return drift, nil
}

func catalogOf(entries []catalog.Entry) Catalog {
	c := Catalog{Entries: make([]CatalogEntry, len(entries)), Drift: []Drift{}}
	for i := range entries {
		c.Entries[i] = entryOf(&entries[i])
		for _, s := range c.Entries[i].Seen {
			if c.Since.IsZero() || s.FirstSeen.Before(c.Since) {
				c.Since = s.FirstSeen
			}
		}
		c.Drift = append(c.Drift, c.Entries[i].drift()...)
	}
	rank := []DriftKind{DriftMistyped, DriftUnseen, DriftMisspelt}
	slices.SortStableFunc(c.Drift, func(a, b Drift) int {
		return cmp.Or(
			cmp.Compare(slices.Index(rank, a.Kind), slices.Index(rank, b.Kind)), -cmp.Compare(min(len(a.Near), 1), min(len(b.Near), 1)),
			-cmp.Compare(a.Count, b.Count),
		)
	})
	return c
}

func entryOf(e *catalog.Entry) CatalogEntry {
	out := CatalogEntry{Kind: CatalogKind(e.Kind), Event: e.Event, Name: e.Name, Declared: e.Declared, Types: e.Types, Near: namesOf(e.Near)}
	for i := range e.Seen {
		row := &e.Seen[i]
		out.Count += row.Count
		out.Seen = append(out.Seen, SeenType{
			Type: row.Type, Count: row.Count, Estimated: row.Sampled, Wrong: e.Wrong(row.Type), FirstSeen: row.First, LastSeen: row.Last,
		})
	}
	return out
}

func namesOf(all []catalog.Name) []DriftName {
	var out []DriftName
	for _, n := range all {
		out = append(out, DriftName{Of: CatalogKind(n.Kind), Event: n.Event, Name: n.Name})
	}
	return out
}

// LastSeen returns when it last arrived, or zero if it never has.
func (e *CatalogEntry) LastSeen() time.Time {
	var last time.Time
	for i := range e.Seen {
		if at := e.Seen[i].LastSeen; at.After(last) {
			last = at
		}
	}
	return last
}

// drift returns how what arrives differs from what is declared.
func (e *CatalogEntry) drift() []Drift {
	name := DriftName{Of: e.Kind, Event: e.Event, Name: e.Name}
	switch {
	case e.Declared && len(e.Seen) == 0:
		d := Drift{DriftName: name, Kind: DriftUnseen, Types: e.Types, Near: e.Near}
		d.Says = name.String() + " is declared and has not arrived"
		if len(e.Near) > 0 {
			d.Says += "; what arrives is " + listed(e.Near)
		}
		return []Drift{d}
	case e.Declared:
		var all []Drift
		for i := range e.Seen {
			if s := &e.Seen[i]; s.Wrong {
				d := Drift{DriftName: name, Kind: DriftMistyped, Types: e.Types, Seen: s.Type, Count: s.Count, Since: s.FirstSeen, Last: s.LastSeen}
				d.Says = fmt.Sprintf("%s is %s, declared %s: %s since %s", name, article(s.Type), articles(e.Types), counted(s), s.FirstSeen.Format(time.RFC3339))
				all = append(all, d)
			}
		}
		return all
	case len(e.Near) > 0:
		s := SeenType{Count: e.Count, FirstSeen: e.Seen[0].FirstSeen}
		for i := range e.Seen {
			s.Estimated = s.Estimated || e.Seen[i].Estimated
			if e.Seen[i].FirstSeen.Before(s.FirstSeen) {
				s.FirstSeen = e.Seen[i].FirstSeen
			}
		}
		return []Drift{{
			DriftName: name, Kind: DriftMisspelt, Count: e.Count, Since: s.FirstSeen, Last: e.LastSeen(), Near: e.Near,
			Says: fmt.Sprintf("%s is not declared and has arrived: %s since %s; declared is %s", name, counted(&s), s.FirstSeen.Format(time.RFC3339), listed(e.Near)),
		}}
	}
	return nil
}

func listed(names []DriftName) string {
	all := make([]string, len(names))
	for i, n := range names {
		all[i] = n.String()
	}
	return strings.Join(all, " or ")
}

// counted says in how many events something arrived.
func counted(s *SeenType) string {
	n := "1 event"
	if s.Count != 1 {
		n = grouped(s.Count) + " events"
	}
	if s.Estimated {
		return "about " + n
	}
	return n
}

// grouped writes a number with commas between groups of three digits.
func grouped(n int64) string {
	digits := strconv.FormatInt(n, 10)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

func article(typ string) string {
	if typ == "object" {
		return "an object"
	}
	return "a " + typ
}

func articles(types []string) string {
	all := make([]string, len(types))
	for i, typ := range types {
		all[i] = article(typ)
	}
	return strings.Join(all, " or ")
}
