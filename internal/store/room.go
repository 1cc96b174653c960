package store

import (
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// pgx writes a batch into two buffers that begin small for each, one for the arguments of a statement and one for all that
// goes to the server, and grows them as it goes along. As most arguments are arrays of which it is known how long they get,
// room can be made for all of them at once.

// makeRoom makes room in the buffers of a connection for the statements.
func (q *queue) makeRoom(conn Conn) {
	on, is := conn.(interface{ Conn() *pgx.Conn })
	if !is {
		return
	}
	c := on.Conn()
	if state := stateOf(c.PgConn()); !state.roomy {
		state.roomy = true
		c.TypeMap().TryWrapEncodePlanFuncs = slices.Insert(c.TypeMap().TryWrapEncodePlanFuncs, 0, planRoomy)
	}
	all := 0
	for _, queued := range q.batch.QueuedQueries {
		all += statementSize + makeRoomFor(queued.Arguments)
	}
	c.PgConn().Frontend().Send(room(all))
}

// statementSize is how many bytes a statement takes beside its arguments, at most.
const statementSize = 128

// makeRoomFor lets the first array among arguments make room for all of them, and returns for how much.
func makeRoomFor(args []any) int {
	var first measured
	place, size := 0, 0
	for i, arg := range args {
		if a, is := arg.(measured); is {
			size += a.size()
			if first == nil && size > 0 { // null is written nowhere
				first, place = a, i
			}
		}
	}
	if first != nil {
		args[place] = roomy{first, size}
	}
	return size
}

// measured is an array that knows how many bytes it takes, at most.
type measured interface {
	pgtype.ArrayGetter
	size() int
}

// roomy is an array that makes room before it is written.
type roomy struct {
	array measured
	size  int
}

type roomyPlan struct{ next pgtype.EncodePlan }

func planRoomy(value any) (pgtype.WrappedEncodePlanNextSetter, any, bool) { //nolint:ireturn // so pgx wants it
	r, is := value.(roomy)
	return &roomyPlan{}, r.array, is
}

func (p *roomyPlan) SetNext(next pgtype.EncodePlan) { p.next = next }

func (p *roomyPlan) Encode(value any, buf []byte) ([]byte, error) {
	r := value.(roomy) //nolint:forcetypeassert // it was planned for one
	return p.next.Encode(r.array, slices.Grow(buf, r.size))
}

// room is a message of nothing, which makes room for so many bytes of others.
type room int

// Encode, Decode and Frontend make it a [pgproto3.FrontendMessage].
func (r room) Encode(dst []byte) ([]byte, error) { return slices.Grow(dst, int(r)), nil }

func (room) Decode([]byte) error { return nil }

func (room) Frontend() {}
