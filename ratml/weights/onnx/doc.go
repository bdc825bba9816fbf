// Package onnx reads image classifiers from ONNX files.
package onnx

import _ "github.com/gomlx/onnx-gomlx/onnx/parser" // builds graphs
