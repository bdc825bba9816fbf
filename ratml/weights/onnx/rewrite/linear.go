package rewrite

import (
	"fmt"

	"github.com/gomlx/compute-onnx/support/protos"
)

// linear are the rules for ai.onnx.ml, for what skl2onnx writes for linear models and multilayer perceptrons of images
// (github.com/onnx/onnx: docs/Operators-ml.md).
var linear = map[string]rule{
	"LinearClassifier": linearClassifier,
	"Normalizer":       normalizer,
	"Scaler":           scaler,
	"ZipMap": func(p *pass, n *protos.NodeProto) error {
		if err := need(n, 1); err != nil {
			return err
		}
		p.emit(n, n.Output[0], "Identity", n.Input[0])
		return nil
	},
}

// linearClassifier is a matrix product; its first output is the number of a class, not its label.
func linearClassifier(p *pass, n *protos.NodeProto) error {
	if err := need(n, 1); err != nil {
		return err
	}
	if len(n.Output) < 2 {
		return fmt.Errorf("it puts no scores out")
	}
	w, b := Floats(n, "coefficients"), Floats(n, "intercepts")
	classes := max(len(b), len(Ints(n, "classlabels_ints")), len(attribute(n, "classlabels_strings").GetStrings()))
	if classes < 2 || len(w) == 0 || len(w)%classes != 0 || b != nil && len(b) != classes {
		return fmt.Errorf("%d coefficients and %d intercepts for %d classes", len(w), len(b), classes)
	}
	y := p.emit(n, "", "MatMul", n.Input[0], p.constant(n, floats(transposed(w, classes), len(w)/classes, classes)))
	if b != nil {
		y = p.emit(n, "", "Add", y, p.constant(n, floats(b, classes)))
	}
	p.emit(n, n.Output[0], "ArgMax", y)
	switch post := Text(n, "post_transform", "NONE"); post {
	case "NONE":
		p.emit(n, n.Output[1], "Identity", y)
	case "SOFTMAX":
		p.emit(n, n.Output[1], "Softmax", y)
		set(p.nodes[len(p.nodes)-1], "axis", -1)
	case "LOGISTIC":
		p.emit(n, n.Output[1], "Sigmoid", y)
	default:
		return fmt.Errorf("post_transform %s is not supported", post)
	}
	return nil
}

// transposed turns rows of w into columns.
func transposed(w []float32, rows int) []float32 {
	columns := len(w) / rows
	t := make([]float32, len(w))
	for i := range rows {
		for j := range columns {
			t[j*rows+i] = w[i*columns+j]
		}
	}
	return t
}

// normalizer divides each row by its norm. After a softmax that is 1, and PastSoftmax looks through it.
func normalizer(p *pass, n *protos.NodeProto) error {
	if err := need(n, 1); err != nil {
		return err
	}
	x := n.Input[0]
	var norm string
	switch kind := Text(n, "norm", "MAX"); kind {
	case "L1":
		norm = p.emit(n, "", "ReduceSum", p.emit(n, "", "Abs", x), p.integers(n, 1))
	case "L2":
		norm = p.emit(n, "", "Sqrt", p.emit(n, "", "ReduceSum", p.emit(n, "", "Mul", x, x), p.integers(n, 1)))
	default:
		return fmt.Errorf("norm %s is not supported", kind)
	}
	p.emit(n, n.Output[0], "Div", x, norm)
	return nil
}

// scaler is (x-offset)*scale.
func scaler(p *pass, n *protos.NodeProto) error {
	if err := need(n, 1); err != nil {
		return err
	}
	offset, scale := Floats(n, "offset"), Floats(n, "scale")
	if len(offset) == 0 || len(scale) == 0 {
		return fmt.Errorf("offset or scale is missing")
	}
	x := p.emit(n, "", "Sub", n.Input[0], p.constant(n, floats(offset, len(offset))))
	p.emit(n, n.Output[0], "Mul", x, p.constant(n, floats(scale, len(scale))))
	return nil
}
