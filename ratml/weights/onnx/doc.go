// Package onnx reads image classifiers from ONNX files (github.com/onnx/onnx), as PyTorch, TensorFlow (tf2onnx) and
// scikit-learn (skl2onnx) export them, and makes them classifiers like any other: logits and gradients with respect to
// images are those of the framework that the file is from, up to rounding.
//
// A file is rewritten (package rewrite), and its nodes become a graph when a program is compiled: most are built by
// github.com/gomlx/onnx-gomlx, some here, convolutions by package nets. All numbers are float32, whatever the file has.
// The weights keep the names that they have in the file.
//
// Files are not trusted: one that is damaged or made to harm gives an error, and takes no more memory than its size
// explains. External data is read from the folder of the file only.
package onnx
