package sheet

import (
	"strconv"
	"time"

	"github.com/bucketgen/bucketgen"
)

// MemberColumns are the columns of an export of members. The last two are the id by which the
// member goes: userId is empty for one without a user id.
var MemberColumns = []string{"userId", "email", "enteredAt", "leftAt", "entryCount", "membershipId", "source", "idKind", "id"}

// WriteMember writes a member as the row of an export.
func (w *Writer) WriteMember(m *bucketgen.Member) error {
	left := ""
	if !m.LeftAt.IsZero() {
		left = m.LeftAt.Format(time.RFC3339Nano)
	}
	return w.Write(
		m.UserID, m.UserEmail, m.EnteredAt.Format(time.RFC3339Nano), left, strconv.Itoa(m.EntryCount), strconv.FormatInt(m.MembershipID, 10), string(m.Source), m.Who().Kind, m.Who().Value,
	)
}
