package table

import (
	"crypto/sha256"
	"encoding/binary"
)

// Sample holds for a percentage of users, always for the same ones. A hash chooses them: the first
// eight bytes of the SHA-256 of salt, a zero byte and the id of the user are a big-endian number.
// The condition holds if it is less than percent/100 of 2^64, where that product is a float64, cut
// to an integer. The result is the same on every machine and in every version.
func (f *Facts) Sample(percent float64, salt string) Verdict {
	const all = 1 << 64
	return fixed(f.hash(salt) < uint64(percent/100*all))
}

func (f *Facts) hash(salt string) uint64 {
	sum := sha256.Sum256([]byte(salt + "\x00" + f.user))
	return binary.BigEndian.Uint64(sum[:8])
}
