// Package numpickle reads pickles of plain values and of numpy arrays of bytes and integers, as the Python versions of
// CIFAR-10 and CIFAR-100 are.
//
// A pickle is a program. Before github.com/nlpodyssey/gopickle runs it, all of it is looked through: every operation
// must be one of those that make plain values, every length must fit into the data, and the classes named must be those
// of numpy arrays. Whatever else a pickle asks for is refused by name.
package numpickle
