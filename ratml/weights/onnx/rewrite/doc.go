// Package rewrite changes ONNX models so that the operations left in them mean the same in every version of the
// format, and are among those that github.com/gomlx/onnx-gomlx, or package onnx, turns into graphs with right gradients.
//
// It is a pass over the protobuf of a model that needs no shapes: attributes that change nothing go, attributes of old
// operation sets become inputs, activations become the arithmetic they are defined by, constants become initialisers,
// and the linear models of ai.onnx.ml become matrix products.
package rewrite
