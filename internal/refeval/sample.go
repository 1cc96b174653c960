package refeval

import (
	"crypto/sha256"
	"math"
	"math/big"

	"github.com/bucketgen/bucketgen/internal/ir"
)

// inSample reports whether a user is chosen: the hash, as a fraction of all that there are, is
// below the share.
func inSample(s *ir.SampleCheck, user string) bool {
	h := sha256.New()
	h.Write([]byte(s.Salt))
	h.Write([]byte{0})
	h.Write([]byte(user))
	hash := new(big.Int).SetBytes(h.Sum(nil)[:8])
	share, _ := big.NewFloat(math.Ldexp(s.Percent/100, 64)).Int(nil)
	return hash.Cmp(share) < 0
}
