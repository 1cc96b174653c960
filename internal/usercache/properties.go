package usercache

import (
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Properties is a user's contact as of a version. It is valid if the contact has that version when
// the lock is taken. It is never changed.
type Properties struct {
	ContactID int64
	Version   int64
	Raw       []byte             // Raw is all properties as JSON
	Values    table.Values       // Values are those of the declared properties
	Changes   []table.LastChange // Changes are those of the properties that have a history
	WrittenAt table.Instant      // WrittenAt is not before the newest date of a property
	Repeats   []decide.Repeat
}

// size estimates the bytes that it takes, with its entry.
func (p *Properties) size() int {
	const fixed, change, repeat = 332, 72, 24
	n := fixed + len(p.Raw) + p.Values.Size() + change*len(p.Changes) + repeat*cap(p.Repeats)
	for i := range p.Changes {
		n += p.Changes[i].Was.Size()
	}
	return n
}
