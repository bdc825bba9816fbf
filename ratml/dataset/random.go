package dataset

import "math/rand/v2"

// Every random choice is made by a generator seeded with the caller's seed, one of these purposes, and numbers such as
// the epoch and the image. So one seed gives independent streams, and no stream depends on what others consumed.
const (
	forShuffle = iota + 1
	forTransform
	forSplit
	forLabelNoise
	forSynthetic
	forGaussianNoise
)

// reseed sets g to the stream of the given keys.
func reseed(g *rand.PCG, keys ...uint64) {
	var h uint64
	for _, k := range keys {
		h = scramble(h ^ k)
	}
	g.Seed(h, scramble(h))
}

// stream returns a generator for the given keys.
func stream(keys ...uint64) *rand.Rand {
	g := new(rand.PCG)
	reseed(g, keys...)
	return rand.New(g)
}

// scramble is one step of SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014).
func scramble(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
