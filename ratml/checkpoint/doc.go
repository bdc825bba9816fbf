// Package checkpoint keeps the state of a long computation in a folder of files, so that it can go on after it was
// killed.
//
// A checkpoint is a safetensors file that Python can open too. It appears under its name only when it is whole and on
// the disk, and carries a SHA-256 of everything in it; [Dir.Latest] takes the newest that is undamaged. The best is
// called best.safetensors and outlives the others.
//
// Only one process at a time uses a folder: [Open] locks it.
package checkpoint
