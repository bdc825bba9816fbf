package rewrite

import (
	"fmt"
	"math"

	"github.com/gomlx/compute-onnx/support/protos"
)

// formula writes an activation y of x as arithmetic.
type formula func(c *chain, x string) string

// chain writes operations one after the other.
type chain struct {
	p *pass
	n *protos.NodeProto
}

func (c *chain) do(op string, in ...string) string { return c.p.emit(c.n, "", op, in...) }
func (c *chain) number(v float32) string           { return c.p.scalar(c.n, v) }

// attribute is the number that an attribute is, or its default.
func (c *chain) attribute(name string, absent float32) string {
	return c.number(Float(c.n, name, absent))
}

func activation(f formula) rule {
	return func(p *pass, n *protos.NodeProto) error {
		if err := need(n, 1); err != nil {
			return err
		}
		p.emit(n, n.Output[0], "Identity", f(&chain{p, n}, n.Input[0]))
		return nil
	}
}

var activations = map[string]rule{
	"HardSigmoid": activation(func(c *chain, x string) string {
		return hardSigmoid(c, x, c.attribute("alpha", 0.2), c.attribute("beta", 0.5))
	}),
	"HardSwish": activation(func(c *chain, x string) string {
		return c.do("Mul", x, hardSigmoid(c, x, c.number(1./6), c.number(0.5)))
	}),
	"LeakyRelu": activation(func(c *chain, x string) string { return leaky(c, x, c.attribute("alpha", 0.01)) }),
	"PRelu": func(p *pass, n *protos.NodeProto) error {
		if err := need(n, 2); err != nil {
			return err
		}
		if t := p.constants[n.Input[1]]; p.opset() < 7 && (t == nil || len(t.GetDims()) != 1 || t.Dims[0] != 1) {
			return fmt.Errorf("slopes by channel, as in operation sets before 7, are not supported; convert the model with onnx.version_converter")
		}
		return activation(func(c *chain, x string) string { return leaky(c, x, n.Input[1]) })(p, n)
	},
	"Elu": activation(func(c *chain, x string) string {
		return c.do("Add", c.do("Relu", x), c.do("Mul", c.attribute("alpha", 1), expm1(c, x)))
	}),
	"Selu": activation(func(c *chain, x string) string {
		low := c.do("Mul", c.attribute("alpha", 1.67326319217681884765625), expm1(c, x))
		return c.do("Mul", c.attribute("gamma", 1.05070102214813232421875), c.do("Add", c.do("Relu", x), low))
	}),
	"Celu": activation(func(c *chain, x string) string {
		alpha := c.attribute("alpha", 1)
		return c.do("Add", c.do("Relu", x), c.do("Mul", alpha, expm1(c, c.do("Div", x, alpha))))
	}),
	"Softplus": activation(softplus),
	"Softsign": activation(func(c *chain, x string) string {
		return c.do("Div", x, c.do("Add", c.number(1), c.do("Abs", x)))
	}),
	"Mish": activation(func(c *chain, x string) string { return c.do("Mul", x, c.do("Tanh", softplus(c, x))) }),
	"Swish": activation(func(c *chain, x string) string {
		return c.do("Mul", x, c.do("Sigmoid", c.do("Mul", c.attribute("alpha", 1), x)))
	}),
	// tf2onnx leaves TensorFlow's operation of this name, which ONNX does not have, in the file.
	"Erfc": activation(func(c *chain, x string) string { return c.do("Sub", c.number(1), c.do("Erf", x)) }),
	"ThresholdedRelu": activation(func(c *chain, x string) string {
		return c.do("Where", c.do("Greater", x, c.attribute("alpha", 1)), x, c.number(0))
	}),
	"Gelu": activation(func(c *chain, x string) string {
		if Text(c.n, "approximate", "none") == "tanh" {
			return geluTanh(c, x)
		}
		return gelu(c, x)
	}),
}

// microsoft are the rules for ONNX Runtime's own operations.
var microsoft = map[string]rule{
	"Gelu":     activation(gelu),
	"FastGelu": activation(geluTanh),
	"QuickGelu": activation(func(c *chain, x string) string {
		return c.do("Mul", x, c.do("Sigmoid", c.do("Mul", c.attribute("alpha", 1.702), x)))
	}),
}

func hardSigmoid(c *chain, x, alpha, beta string) string {
	y := c.do("Add", c.do("Mul", x, alpha), beta)
	return c.do("Min", c.number(1), c.do("Max", c.number(0), y))
}

// leaky is max(x,0) - slope*max(-x,0).
func leaky(c *chain, x, slope string) string {
	return c.do("Sub", c.do("Relu", x), c.do("Mul", slope, c.do("Relu", c.do("Neg", x))))
}

// expm1 is exp(min(x,0)) - 1.
func expm1(c *chain, x string) string {
	return c.do("Sub", c.do("Exp", c.do("Min", c.number(0), x)), c.number(1))
}

// softplus is log(1+exp(x)) without overflow.
func softplus(c *chain, x string) string {
	small := c.do("Log", c.do("Add", c.number(1), c.do("Exp", c.do("Neg", c.do("Abs", x)))))
	return c.do("Add", c.do("Relu", x), small)
}

func gelu(c *chain, x string) string {
	erf := c.do("Erf", c.do("Mul", x, c.number(math.Sqrt2/2)))
	return c.do("Mul", c.do("Mul", x, c.number(0.5)), c.do("Add", erf, c.number(1)))
}

func geluTanh(c *chain, x string) string {
	cube := c.do("Mul", x, c.do("Mul", x, x))
	inner := c.do("Add", x, c.do("Mul", cube, c.number(0.044715)))
	tanh := c.do("Tanh", c.do("Mul", inner, c.number(float32(math.Sqrt(2/math.Pi)))))
	return c.do("Mul", c.do("Mul", x, c.number(0.5)), c.do("Add", tanh, c.number(1)))
}
