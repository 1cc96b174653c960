package sheet

import (
	"strconv"
	"time"

	"github.com/bucketgen/bucketgen"
)

// MemberColumns are the columns of an export of members. idKind and id are the id by which the
// member goes: userId is empty for one without a user id. The last two are the id by which the
// member went when the stay began, if that is another now.
var MemberColumns = []string{
	"userId", "email", "enteredAt", "leftAt", "entryCount", "membershipId", "source", "idKind", "id", "enteredAsKind", "enteredAsId",
}

// WriteMember writes a member as the row of an export.
func (w *Writer) WriteMember(m *bucketgen.Member) error {
	left := ""
	if !m.LeftAt.IsZero() {
		left = m.LeftAt.Format(time.RFC3339Nano)
	}
	as := bucketgen.ID{}
	if m.EnteredAs != nil {
		as = *m.EnteredAs
	}
	return w.Write(
		m.UserID, m.UserEmail, m.EnteredAt.Format(time.RFC3339Nano), left, strconv.Itoa(m.EntryCount), strconv.FormatInt(m.MembershipID, 10), string(m.Source),
		m.Who().Kind, m.Who().Value, as.Kind, as.Value,
	)
}
