package store

import (
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/pipeline"
	"github.com/bucketgen/bucketgen/registry/table"
)

// sequenceFacts are the facts about sequences that are read. Each row has the key of its question,
// or its position in the parameters.
type sequenceFacts struct {
	progress    db.ProgressOfParams
	completions db.ProgressNewestParams
	open        db.ProgressOpenParams
	around      db.AdvancesAroundParams

	progressOf map[progressKey]*table.Progress
	newest     map[progressKey]*table.Instant
	openChains []*[]table.OpenChain
	advances   []*[]table.Advance
	recent     map[progressKey][]int // recent are positions in around
}

type progressKey struct {
	user string
	no   int32
	key  string
}

// fewOpen open chains are read at first. If a session needs more, the next read has moreOpen times
// as many.
const (
	fewOpen  = 32
	moreOpen = 16
)

// add adds a fact of a user, and its callback to the user.
func (p *sequenceFacts) add(ld *Loaded, n userNeed) {
	u, s := ld.users[n.user], n.Sequence
	row, no := &ld.store.registry.Sequences[s], ld.store.sequences[s]
	contact := ld.contactOf(n.user)
	onApply := func(apply func(*table.Facts)) { u.apply = append(u.apply, apply) }
	switch n.Kind {
	case table.NeedProgress:
		read := table.NoProgress(row)
		p.progress.UserIds, p.progress.ContactIds = append(p.progress.UserIds, n.user), append(p.progress.ContactIds, contact)
		p.progress.SequenceNos = append(p.progress.SequenceNos, no)
		p.progress.Keys = append(p.progress.Keys, n.Key)
		p.progressOf = put(p.progressOf, progressKey{n.user, no, n.Key}, &read)
		onApply(func(facts *table.Facts) { facts.SetProgress(s, n.Key, read) })
	case table.NeedCompletion:
		read := table.Unset
		p.completions.UserIds, p.completions.ContactIds = append(p.completions.UserIds, n.user), append(p.completions.ContactIds, contact)
		p.completions.SequenceNos = append(p.completions.SequenceNos, no)
		p.newest = put(p.newest, progressKey{n.user, no, ""}, &read)
		onApply(func(facts *table.Facts) { facts.SetCompletion(s, read) })
	case table.NeedOpen:
		most := p.most(u, s)
		read := &[]table.OpenChain{}
		p.open.UserIds, p.open.ContactIds = append(p.open.UserIds, n.user), append(p.open.ContactIds, contact)
		p.open.SequenceNos = append(p.open.SequenceNos, no)
		p.open.After, p.open.Most = append(p.open.After, timestamp(n.At)), append(p.open.Most, int32(most))
		p.open.Places = append(p.open.Places, int32(len(p.openChains)))
		p.openChains = append(p.openChains, read)
		onApply(func(facts *table.Facts) { facts.SetOpen(s, n.At, *read, len(*read) == most) })
	default: // NeedRecentSteps
		p.recentSteps(ld, n, no, contact)
	}
}

// recentSteps adds what happened around a late event. Late events of one key that are close
// together share a span, so that a batch reads what is around them once.
func (p *sequenceFacts) recentSteps(ld *Loaded, n userNeed, no int32, contact int64) {
	u, s := ld.users[n.user], n.Sequence
	span := ld.store.registry.Sequences[s].Span()
	key := progressKey{n.user, no, n.Key}
	begin, end := n.At.Add(-span), n.At.Add(span)
	for _, place := range p.recent[key] {
		b, e := &p.around.Begins[place], &p.around.Ends[place]
		if instant(*b) < end && begin < instant(*e) {
			*b, *e = timestamp(min(instant(*b), begin)), timestamp(max(instant(*e), end))
			return
		}
	}
	place := len(p.advances)
	p.recent = put(p.recent, key, append(p.recent[key], place))
	read := &[]table.Advance{}
	p.around.UserIds, p.around.ContactIds = append(p.around.UserIds, n.user), append(p.around.ContactIds, contact)
	p.around.SequenceNos = append(p.around.SequenceNos, no)
	p.around.Keys, p.around.Places = append(p.around.Keys, n.Key), append(p.around.Places, int32(place))
	p.around.Begins, p.around.Ends = append(p.around.Begins, timestamp(begin)), append(p.around.Ends, timestamp(end))
	p.advances = append(p.advances, read)
	u.apply = append(u.apply, func(facts *table.Facts) {
		for i := range *read {
			(*read)[i].Sequence, (*read)[i].Key = s, n.Key
		}
		facts.SetRecentSteps(s, n.Key, instant(p.around.Begins[place]), instant(p.around.Ends[place]), *read)
	})
}

// most returns how many open chains to read: more than the last time.
func (p *sequenceFacts) most(u *user, s table.SequenceIndex) int {
	if u.oldest == nil {
		u.oldest = map[table.Need]int{}
	}
	key := table.Need{Kind: table.NeedOpen, Sequence: s}
	u.oldest[key] = max(fewOpen, moreOpen*u.oldest[key])
	return u.oldest[key]
}

func put[K comparable, V any](m map[K]V, key K, v V) map[K]V {
	if m == nil {
		m = map[K]V{}
	}
	m[key] = v
	return m
}

func (ld *Loaded) queueSequences(q *pipeline.Batch, p sequenceFacts) {
	if a := p.progress; len(a.UserIds) > 0 {
		q.Add(db.ProgressOf, a.UserIds, a.ContactIds, a.SequenceNos, a.Keys).Query(pipeline.Each(func(row db.ProgressOfRow) {
			read := p.progressOf[progressKey{row.UserID, row.SequenceNo, row.Key}]
			for i := range read.Ends {
				read.Begins[i], read.Ends[i] = table.Instant(row.Begins[i]), table.Instant(row.Ends[i])
			}
			read.Seen, read.Answer = instant(row.SeenAt), instant(row.AnswerAt)
			read.Answered = read.Outcome() != table.Unset && !row.OutcomeAt.Valid
		}))
	}
	if a := p.completions; len(a.UserIds) > 0 {
		q.Add(db.ProgressNewest, a.UserIds, a.ContactIds, a.SequenceNos).Query(pipeline.Each(func(row db.ProgressNewestRow) {
			*p.newest[progressKey{row.UserID, row.SequenceNo, ""}] = instant(row.OutcomeAt)
		}))
	}
	if a := p.open; len(a.UserIds) > 0 {
		q.Add(db.ProgressOpen, a.UserIds, a.ContactIds, a.SequenceNos, a.After, a.Most, a.Places).Query(pipeline.Each(func(row db.ProgressOpenRow) {
			read := p.openChains[row.Place]
			*read = append(*read, table.OpenChain{At: instant(row.OutcomeAt), Key: row.Key})
		}))
	}
	if a := p.around; len(a.UserIds) > 0 {
		q.Add(db.AdvancesAround, a.UserIds, a.ContactIds, a.SequenceNos, a.Keys, a.Begins, a.Ends, a.Places).Query(pipeline.Each(func(row db.AdvancesAroundRow) {
			read := p.advances[row.Place]
			*read = append(*read, table.Advance{At: instant(row.OccurredAt), Steps: table.StepSet(row.Steps)})
		}))
	}
}
