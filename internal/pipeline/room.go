package pipeline

import (
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// pgx writes a batch into two buffers, one for the arguments of a statement and one for all
// messages. Both begin small for each batch and grow by copying. Most arguments are arrays whose
// size is known before, so that each buffer is made large enough at once.

// makeRoom makes room in the buffers of a connection for the statements.
func (b *Batch) makeRoom(conn Conn) {
	on, is := conn.(interface{ Conn() *pgx.Conn })
	if !is {
		return
	}
	c := on.Conn()
	const key = "bucketgen.pipeline"
	if known := c.PgConn().CustomData(); known[key] == nil {
		known[key] = true
		c.TypeMap().TryWrapEncodePlanFuncs = slices.Insert(c.TypeMap().TryWrapEncodePlanFuncs, 0, planRoomy)
	}
	all := 0
	for _, queued := range b.batch.QueuedQueries {
		all += statementSize + makeRoomFor(queued.Arguments)
	}
	c.PgConn().Frontend().Send(room(all))
}

// statementSize is the most bytes that a statement takes beside its arguments.
const statementSize = 128

// makeRoomFor makes the first array among arguments grow the buffer for all of them. It returns by
// how many bytes.
func makeRoomFor(args []any) int {
	var first measured
	position, size := 0, 0
	for i, arg := range args {
		if a, is := arg.(measured); is {
			size += a.size()
			if first == nil && size > 0 { // null is not written
				first, position = a, i
			}
		}
	}
	if first != nil {
		args[position] = roomy{first, size}
	}
	return size
}

// measured is an array that knows the most bytes that it takes.
type measured interface {
	pgtype.ArrayGetter
	size() int
}

// roomy is an array that grows the buffer by size before it is written.
type roomy struct {
	array measured
	size  int
}

type roomyPlan struct{ next pgtype.EncodePlan }

func planRoomy(value any) (pgtype.WrappedEncodePlanNextSetter, any, bool) { //nolint:ireturn // pgx declares it so
	r, is := value.(roomy)
	return &roomyPlan{}, r.array, is
}

// SetNext is part of [pgtype.WrappedEncodePlanNextSetter].
func (p *roomyPlan) SetNext(next pgtype.EncodePlan) { p.next = next }

// Encode grows the buffer and writes the array.
func (p *roomyPlan) Encode(value any, buf []byte) ([]byte, error) {
	r := value.(roomy) //nolint:forcetypeassert // planRoomy checked it
	return p.next.Encode(r.array, slices.Grow(buf, r.size))
}

// room is an empty message that grows the buffer, by its value, for the messages after it.
type room int

// Encode, Decode and Frontend make it a [pgproto3.FrontendMessage].
func (r room) Encode(dst []byte) ([]byte, error) { return slices.Grow(dst, int(r)), nil }

// Decode is never called.
func (room) Decode([]byte) error { return nil }

// Frontend marks messages of clients.
func (room) Frontend() {}
