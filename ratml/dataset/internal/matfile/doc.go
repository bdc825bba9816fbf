// Package matfile reads MATLAB's files of version 5, which SVHN and ImageNet's development kit come in.
//
// Numbers, text, structures and cells are read, compressed or not, in either byte order. Memory grows with the data that
// is really there, whatever lengths a file states. The libraries for Go read at most 100 MB of a compressed array, less
// than SVHN's training images have, and no structures.
//
// Source: MathWorks, "MAT-File Format", version 5.
package matfile
