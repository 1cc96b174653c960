package draw

import "pgregory.net/rapid"

// below draws a number from 0 up to n-1, all of them equally often. What rapid draws by itself is
// mostly small, which is good for lengths but not for choices. 0 is still what failures are reduced
// to.
func below(t *rapid.T, label string, n int) int {
	bits := rapid.Uint64().Draw(t, label)
	bits = (bits ^ bits>>30) * 0xbf58476d1ce4e5b9 // the finaliser of SplitMix64, which leaves 0 as it is
	bits = (bits ^ bits>>27) * 0x94d049bb133111eb
	return int((bits ^ bits>>31) % uint64(n))
}

// one draws one of some choices.
func one[T any](t *rapid.T, label string, choices ...T) T {
	return choices[below(t, label, len(choices))]
}

// chance draws true with the given percentage.
func chance(t *rapid.T, label string, percent int) bool { return below(t, label, 100) >= 100-percent }

// upTo draws a number from least to most.
func upTo(t *rapid.T, label string, least, most int) int {
	return least + below(t, label, most-least+1)
}
