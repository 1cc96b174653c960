package resolve

// Op is what a step does.
type Op string

// The operations. All but Attach come before the event: it is about the contact that they make.
const (
	// Promote gives a contact a name of a higher rank. Its former name leads to it.
	Promote Op = "promote"

	// Merge merges a contact into another.
	Merge Op = "merge"

	// Share takes an anonymous id away from its contact, for a contact that never merges.
	Share Op = "share"

	// Attach gives an id that leads to no contact to one.
	Attach Op = "attach"
)

// Change is one change of what ids lead to.
type Change struct {
	Op   Op
	From string // the name of the contact that is promoted or merged, or of the id
	Into string // the name that the contact gets, or of the contact that gets the id
}

// Plan is what an event's ids ask for.
type Plan struct {
	// Subject is the name of the contact that the event is about, once the steps are done.
	Subject string

	// Before are the steps before the event, Attached the ids that become the subject's after it.
	Before   []Change
	Attached []string

	// Taken are the ids that stay those of another contact.
	Taken []string
}

// Decide returns what the ids of an event ask for. names are those of its ids, the highest first.
// owner returns the name of the contact that a name leads to, or an empty one. An event whose
// sender is not trusted neither promotes nor merges a lead.
func Decide(names []string, owner func(name string) string, trusted bool) Plan {
	d := decision{owner: owner, trusted: trusted, done: map[string]bool{}}
	top, lower := names[0], names[1:]
	if d.plan.Subject = owner(top); d.plan.Subject == "" {
		d.newcomer(top, lower)
	}
	d.done[d.plan.Subject] = true
	for _, name := range lower {
		d.assign(name)
	}
	return d.plan
}

type decision struct {
	owner   func(string) string
	trusted bool
	plan    Plan
	done    map[string]bool // contacts that are, or become, the subject
}

// newcomer finds the subject of an event whose highest id leads to no contact: a contact of a lower
// id that gets the highest one, or a new contact.
func (d *decision) newcomer(top string, lower []string) {
	d.plan.Subject = top
	for _, name := range lower {
		switch had := d.owner(name); {
		case had == "" || !d.mayMove(had):
		case RankOf(had) < RankOf(top):
			d.plan.Before = append(d.plan.Before, Change{Promote, had, top})
			d.done[had] = true
			return
		case RankOf(had) == Lead && RankOf(top) == Lead:
			d.plan.Subject, d.plan.Attached = had, append(d.plan.Attached, top)
			return
		}
	}
}

// mayMove reports whether the event may change what a contact is.
func (d *decision) mayMove(contact string) bool {
	return !IsShared(contact) && (d.trusted || RankOf(contact) != Lead)
}

// assign says what becomes of an id that is not the highest of the event.
func (d *decision) assign(name string) {
	had, kind := d.owner(name), kindOf(name)
	switch {
	case had == "":
		d.plan.Attached = append(d.plan.Attached, name)
	case d.done[had] || IsShared(had):
	case d.mayMove(had) && RankOf(had) < RankOf(d.plan.Subject):
		d.plan.Before = append(d.plan.Before, Change{Merge, had, d.plan.Subject})
		d.done[had] = true
	case RankOf(had) == Known && kind == Anonymous:
		d.plan.Before = append(d.plan.Before, Change{Share, name, Name(Shared, name)})
	default:
		d.plan.Taken = append(d.plan.Taken, name)
	}
}

func kindOf(name string) string {
	kind, _ := Parse(name)
	return kind
}

// Barrier reports whether a plan has steps before the event.
func (p *Plan) Barrier() bool { return len(p.Before) > 0 }

// Idle reports whether a plan changes nothing.
func (p *Plan) Idle() bool { return len(p.Before)+len(p.Attached) == 0 }
