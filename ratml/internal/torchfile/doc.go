// Package torchfile reads and writes the files of torch.save: dicts of tensors, with whatever numbers, strings and
// plain containers lie beside them.
//
// Files are not trusted, and nothing in them is run. Of the pickle format it knows the opcodes that torch.save writes
// and a fixed list of globals, the tensors and the containers; a file that asks for any other global is refused by the
// global's name ([RefusedError]). Sizes are believed only after they are checked against the file, and everything that
// is allocated for a file of n bytes, tensors included, stays below 16 n + 1 MiB.
//
// The library github.com/nlpodyssey/gopickle v0.3.0 reads the same files, but cannot be made to read hostile ones:
// it allocates what a length or a number of elements claims, prints objects that contain themselves until the stack is
// full, which no recover catches, and takes a short read of a compressed storage for a whole one.
package torchfile
