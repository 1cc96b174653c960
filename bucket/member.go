package bucket

import "github.com/bucketgen/bucketgen/internal/ir"

// InBucket holds while the user is in another bucket, given by its id. It is checked in the
// transaction in which the user joins or leaves that bucket, whether by an event, the clock, Add or
// Remove.
//
// What counts is the membership itself: a member who stays for the minimal dwell is in the bucket,
// and one who left by the maximal dwell is not, even if the criteria of that bucket hold. Users
// neither join nor leave a paused bucket, so nothing changes here either. Buckets must not ask
// about each other in a circle: bucketgen reports that.
func InBucket(id string) Criteria {
	return inBucket(id, callerOf(1))
}

// NotInBucket holds while the user is not in another bucket. See [InBucket]. It holds for users
// without any facts.
func NotInBucket(id string) Criteria {
	pos := callerOf(1)
	return Criteria{&ir.Node{Op: ir.OpNot, Pos: pos, Children: []*ir.Node{inBucket(id, pos).node}}}
}

func inBucket(id string, pos ir.Pos) Criteria {
	return Criteria{&ir.Node{Op: ir.OpMember, Pos: pos, Bucket: id}}
}
