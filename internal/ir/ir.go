// Package ir is the intermediate representation between bucket definitions written in Go and
// everything derived from them: generated code, registries built at run time, fingerprints,
// previews.
//
// It is plain data with a stable JSON form. Package bucket builds it, and the generator's loader
// reads it from a file that a compiled copy of the definitions wrote. Nothing else crosses that
// border.
package ir

import (
	"encoding/json"
	"fmt"
	"time"
)

// Version is the version of the JSON form. A reader refuses any other.
const Version = 1

// File is the content of one definitions package.
type File struct {
	Version     int          `json:"version"`
	Properties  []Property   `json:"properties,omitempty"`
	Events      []Event      `json:"events,omitempty"`
	Fields      []Field      `json:"fields,omitempty"`
	Definitions []Definition `json:"definitions"`
	Problems    []Problem    `json:"problems,omitempty"` // of the package as a whole; the loader fills them in
}

// Pos is a position in Go source. The zero value means that it is unknown.
type Pos struct {
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
}

// String returns file:line.
func (p Pos) String() string {
	if p.File == "" {
		return "-"
	}
	return fmt.Sprintf("%s:%d", p.File, p.Line)
}

// Problem is a mistake that a builder found. Builders neither panic nor return errors: they record
// problems here, so that all mistakes of a package are reported at once.
type Problem struct {
	Pos  Pos    `json:"pos,omitzero"`
	Text string `json:"text"`
}

// Type is the declared type of a property.
type Type string

// The types of properties. Any is a property without a declared type: only hand-made IR has those.
const (
	Any    Type = ""
	Text   Type = "text"
	Number Type = "number"
	Bool   Type = "bool"
	Time   Type = "time"
	List   Type = "list"
)

// Property is a property that the vocabulary of a definitions package declares, used in a criteria
// or not.
type Property struct {
	GoName string `json:"go_name,omitempty"`
	Doc    string `json:"doc,omitempty"`
	Pos    Pos    `json:"pos,omitzero"`
	Name   string `json:"name"`
	Type   Type   `json:"type,omitempty"`

	Path       []string `json:"path,omitempty"`        // to the value, through objects; empty: the property itself
	TraitsOnly bool     `json:"traits_only,omitempty"` // payloads of events do not set it
}

// Event is an event that the vocabulary of a definitions package declares, used in a criteria or
// not.
type Event struct {
	GoName string `json:"go_name,omitempty"`
	Doc    string `json:"doc,omitempty"`
	Pos    Pos    `json:"pos,omitzero"`
	Name   string `json:"name"`
}

// Field is a field of the payload of an event that the vocabulary declares.
type Field struct {
	GoName string   `json:"go_name,omitempty"`
	Doc    string   `json:"doc,omitempty"`
	Pos    Pos      `json:"pos,omitzero"`
	Event  string   `json:"event"`
	Name   string   `json:"name"`
	Path   []string `json:"path,omitempty"` // to the value, through objects; empty: the field itself
	Type   Type     `json:"type,omitempty"`
}

// Kind says what decides over the membership of a bucket.
type Kind string

// The kinds of buckets.
const (
	Dynamic Kind = "dynamic"
	Manual  Kind = "manual"
)

// EntryLimit selects the joins that are announced.
type EntryLimit string

// The entry limits.
const (
	Unlimited     EntryLimit = "unlimited"
	Once          EntryLimit = "once"
	OncePerPeriod EntryLimit = "once_per_period"
)

// Tick is a dwell tick: once after, or every, given time in a stay.
type Tick struct {
	Every bool          `json:"every,omitempty"`
	Span  time.Duration `json:"span"`
	Pos   Pos           `json:"pos,omitzero"`
}

// Definition is one bucket as its author wrote it. The zero value of a field means that it was not
// given.
type Definition struct {
	GoName         string        `json:"go_name,omitempty"` // name of the variable; the loader sets it
	Doc            string        `json:"doc,omitempty"`     // comment of the variable; the loader sets it
	Pos            Pos           `json:"pos,omitzero"`
	ID             string        `json:"id"`
	Name           string        `json:"name,omitempty"`
	Description    string        `json:"description,omitempty"`
	Kind           Kind          `json:"kind"`
	Disabled       bool          `json:"disabled,omitempty"`
	Criteria       *Node         `json:"criteria,omitempty"`
	EntryLimit     EntryLimit    `json:"entry_limit,omitempty"`
	EntryPeriod    time.Duration `json:"entry_period,omitempty"`
	MinDwell       time.Duration `json:"min_dwell,omitempty"`
	MaxDwell       time.Duration `json:"max_dwell,omitempty"`
	Ticks          []Tick        `json:"ticks,omitempty"`
	TimeBased      *bool         `json:"time_based,omitempty"`
	ReconcileJoins *bool         `json:"reconcile_joins,omitempty"`
	ReconcileEvery time.Duration `json:"reconcile_every,omitempty"`
	FastExpiry     bool          `json:"fast_expiry,omitempty"`
	Anonymous      bool          `json:"anonymous,omitempty"` // anonymous contacts may be members
	Problems       []Problem     `json:"problems,omitempty"`
}

// Op is what a node of a criteria does.
type Op string

// The operations of nodes. The first four combine nodes, the others are conditions.
const (
	OpAll       Op = "all"
	OpAny       Op = "any"
	OpNot       Op = "not"
	OpAtLeastOf Op = "at_least_of"
	OpProperty  Op = "property"
	OpEvent     Op = "event"
	OpMember    Op = "member"
	OpSample    Op = "sample"
	OpSequence  Op = "sequence"
)

// Node is a node of a criteria: a condition, or a combination of nodes.
type Node struct {
	Op       Op             `json:"op"`
	Pos      Pos            `json:"pos,omitzero"`
	Children []*Node        `json:"children,omitempty"`
	Count    int            `json:"count,omitempty"` // how many of the children must hold; for OpAtLeastOf
	Property *PropertyCheck `json:"property,omitempty"`
	Event    *EventCheck    `json:"event,omitempty"`
	Bucket   string         `json:"bucket,omitempty"` // bucket of OpMember
	Sample   *SampleCheck   `json:"sample,omitempty"`
	Sequence *SequenceCheck `json:"sequence,omitempty"`
	Problems []Problem      `json:"problems,omitempty"`
}

// Walk visits a node and all nodes that it combines, each before its children. The filter of an
// event is a tree of its own. A nil node is an empty tree.
func (n *Node) Walk(visit func(*Node)) {
	if n == nil {
		return
	}
	visit(n)
	for _, child := range n.Children {
		child.Walk(visit)
	}
}

// EventCheck compares how often an event occurred, or an aggregate of its occurrences.
type EventCheck struct {
	Name      string         `json:"name"`
	Filter    *Node          `json:"filter,omitempty"`    // condition on the payload of occurrences that count; nil: all
	Aggregate Aggregate      `json:"aggregate,omitempty"` // default: their number
	Field     *PropertyCheck `json:"field,omitempty"`     // aggregated field of the payload; First and Last compare it by itself
	Zone      string         `json:"zone,omitempty"`      // time zone of distinct days
	Operator  Operator       `json:"operator,omitempty"`
	Count     int            `json:"count"`            // operand of counts
	Number    *float64       `json:"number,omitempty"` // operand of other aggregates
	Window    *Window        `json:"window,omitempty"` // nil: ever
}

// SampleCheck selects a share of all users.
type SampleCheck struct {
	Percent float64 `json:"percent"`
	Salt    string  `json:"salt"`
}

// SequenceCheck asks whether events followed each other within a time, or whether one has not
// followed.
type SequenceCheck struct {
	Steps  []SequenceStep `json:"steps"`
	Within time.Duration  `json:"within,omitempty"` // from the first step to the last, or the last but one with Unless
	Unless bool           `json:"unless,omitempty"` // the last step has not followed within its time
	Window *Window        `json:"window,omitempty"` // window of the completion, which has a Last; nil: ever
}

// SequenceStep is a step of a sequence: an event, or some of its occurrences.
type SequenceStep struct {
	Pos    Pos            `json:"pos,omitzero"`
	Event  string         `json:"event"`
	Filter *Node          `json:"filter,omitempty"` // condition on the payload; nil: every occurrence may take the step
	Key    *PropertyCheck `json:"key,omitempty"`    // payload field with one value in all steps, without a comparison
	Within time.Duration  `json:"within,omitempty"` // after the previous step; 0: only the sequence's time applies
}

// Aggregate is what is computed from occurrences.
type Aggregate string

// The aggregates. Count, Distinct and DistinctDays are compared with EventCheck.Count. FirstTime
// only checks whether it is in the window. First and Last are single occurrences, whose field is
// compared.
const (
	Count        Aggregate = ""
	Sum          Aggregate = "sum"
	Avg          Aggregate = "avg"
	Min          Aggregate = "min"
	Max          Aggregate = "max"
	Distinct     Aggregate = "distinct"
	DistinctDays Aggregate = "distinct_days"
	FirstTime    Aggregate = "first_time"
	First        Aggregate = "first"
	Last         Aggregate = "last"
)

// Window is the time in which occurrences count: one of Last, Calendar, and From or To.
type Window struct {
	Last     time.Duration `json:"last,omitempty"`  // (now-Last, now-Until]
	Until    time.Duration `json:"until,omitempty"` // positive if Ago is set, else zero
	Ago      bool          `json:"ago,omitempty"`   // the window ends some time ago
	Calendar Calendar      `json:"calendar,omitempty"`
	Zone     string        `json:"zone,omitempty"` // time zone of the calendar
	From     *time.Time    `json:"from,omitempty"` // [From, To)
	To       *time.Time    `json:"to,omitempty"`
}

// Calendar is a kind of period.
type Calendar string

// The kinds of periods.
const (
	Day   Calendar = "day"
	Week  Calendar = "week"
	Month Calendar = "month"
)

// Value is the operand of a property check: exactly one field is set.
type Value struct {
	Text      *string    `json:"text,omitempty"`
	Number    *float64   `json:"number,omitempty"`
	Bool      *bool      `json:"bool,omitempty"`
	Time      *time.Time `json:"time,omitempty"`
	Composite bool       `json:"composite,omitempty"` // a list or object, which equals nothing; never from Go
}

// Decode reads the JSON form and refuses other versions.
func Decode(data []byte) (*File, error) {
	var probe struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(data, &probe); err != nil {
		return nil, fmt.Errorf("read the intermediate representation: %w", err)
	}
	if probe.Version != Version {
		return nil, fmt.Errorf("the definitions were built with package bucket of version %d, this bucketgen reads version %d; "+
			"use bucketgen and package bucket from the same release", probe.Version, Version)
	}
	var f File
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, fmt.Errorf("read the intermediate representation: %w", err)
	}
	return &f, nil
}
