package weights

import (
	"regexp"
	"strconv"

	"github.com/ratml/rat/ratml/nets"
)

// A scheme is a way to name the tensors of networks, and how its names read in another.
type scheme struct {
	name  string // of the scheme that names come from
	rules []rule
}

// A rule renames what its pattern matches whole.
type rule struct {
	pattern *regexp.Regexp
	to      string
	group   int // of pattern, a number to add shift to; 0 is none
	shift   int
}

func renames(pattern, to string) rule {
	return rule{pattern: regexp.MustCompile("^" + pattern + "$"), to: to}
}

func (r rule) adding(shift, group int) rule {
	r.group, r.shift = group, shift
	return r
}

const norm = `(weight|bias|running_mean|running_var)`

// schemes are tried in turn where the names of a file are not the architecture's. They rename layers that compute the
// same, in the order of the same operations.
var schemes = []scheme{
	// Wide residual networks: github.com/xternalis/WideResNet-pytorch, whose names OpenMix and many others have, and
	// pytorchcv (models/wrn_cifar.py).
	{"OpenMix's wide residual networks", []rule{
		renames(`conv1\.weight`, `features.init_block.weight`),
		renames(`block(\d+)\.layer\.(\d+)\.bn([12])\.`+norm, `features.stage$1.unit$2.body.conv$3.bn.$4`).adding(1, 2),
		renames(`block(\d+)\.layer\.(\d+)\.conv([12])\.weight`, `features.stage$1.unit$2.body.conv$3.conv.weight`).adding(1, 2),
		renames(`block(\d+)\.layer\.(\d+)\.convShortcut\.weight`, `features.stage$1.unit$2.identity_conv.weight`).adding(1, 2),
		renames(`bn1\.`+norm, `features.post_activ.bn.$1`),
		renames(`fc\.(weight|bias)`, `output.$1`),
	}},
	{"pytorchcv's wide residual networks", []rule{
		renames(`features\.init_block\.weight`, `conv1.weight`),
		renames(`features\.stage(\d+)\.unit(\d+)\.body\.conv([12])\.bn\.`+norm, `block$1.layer.$2.bn$3.$4`).adding(-1, 2),
		renames(`features\.stage(\d+)\.unit(\d+)\.body\.conv([12])\.conv\.weight`, `block$1.layer.$2.conv$3.weight`).adding(-1, 2),
		renames(`features\.stage(\d+)\.unit(\d+)\.identity_conv\.weight`, `block$1.layer.$2.convShortcut.weight`).adding(-1, 2),
		renames(`features\.post_activ\.bn\.`+norm, `bn1.$1`),
		renames(`output\.(weight|bias)`, `fc.$1`),
	}},
	// Residual networks with activation before convolution: OpenMix's ResNet110 and pytorchcv's preresnet.
	{"OpenMix's ResNet110", []rule{
		renames(`conv1\.weight`, `features.init_block.weight`),
		renames(`layer(\d+)\.(\d+)\.bn([12])\.`+norm, `features.stage$1.unit$2.body.conv$3.bn.$4`).adding(1, 2),
		renames(`layer(\d+)\.(\d+)\.conv([12])\.weight`, `features.stage$1.unit$2.body.conv$3.conv.weight`).adding(1, 2),
		renames(`layer(\d+)\.(\d+)\.downsample\.0\.weight`, `features.stage$1.unit$2.identity_conv.weight`).adding(1, 2),
		renames(`bn\.`+norm, `features.post_activ.bn.$1`),
		renames(`fc\.(weight|bias)`, `output.$1`),
	}},
	{"pytorchcv's preresnet", []rule{
		renames(`features\.init_block\.weight`, `conv1.weight`),
		renames(`features\.stage(\d+)\.unit(\d+)\.body\.conv([12])\.bn\.`+norm, `layer$1.$2.bn$3.$4`).adding(-1, 2),
		renames(`features\.stage(\d+)\.unit(\d+)\.body\.conv([12])\.conv\.weight`, `layer$1.$2.conv$3.weight`).adding(-1, 2),
		renames(`features\.stage(\d+)\.unit(\d+)\.identity_conv\.weight`, `layer$1.$2.downsample.0.weight`).adding(-1, 2),
		renames(`features\.post_activ\.bn\.`+norm, `bn.$1`),
		renames(`output\.(weight|bias)`, `fc.$1`),
	}},
	// Files that torchvision renames when it loads them: models/densenet.py, _load_state_dict, and the MLPBlock of
	// models/vision_transformer.py before its second version.
	{"torchvision's densenet files", []rule{
		renames(`(.*denselayer\d+\.(?:norm|conv))\.([12]\..*)`, `$1$2`),
		renames(`(.*)`, `$1`),
	}},
	{"the first files of torchvision's vision transformers", []rule{
		renames(`(.*\.mlp)\.linear_1\.(.*)`, `$1.0.$2`),
		renames(`(.*\.mlp)\.linear_2\.(.*)`, `$1.3.$2`),
		renames(`(.*)`, `$1`),
	}},
}

// rename returns a name in the other scheme, and whether it is one of this scheme.
func (s scheme) rename(name string) (string, bool) {
	for _, r := range s.rules {
		m := r.pattern.FindStringSubmatchIndex(name)
		if m == nil {
			continue
		}
		if r.group == 0 {
			return string(r.pattern.ExpandString(nil, r.to, name, m)), true
		}
		from, to := m[2*r.group], m[2*r.group+1]
		n, err := strconv.Atoi(name[from:to])
		if err != nil || n+r.shift < 0 {
			return "", false
		}
		name = name[:from] + strconv.Itoa(n+r.shift) + name[to:]
		m = r.pattern.FindStringSubmatchIndex(name)
		return string(r.pattern.ExpandString(nil, r.to, name, m)), true
	}
	return "", false
}

// renamed returns w under the names of the other scheme, or nil where not all its names are of this one.
func renamed[T any](s scheme, w map[string]T) map[string]T {
	out := make(map[string]T, len(w))
	for name, t := range w {
		other, ok := s.rename(name)
		if !ok {
			return nil
		}
		out[other] = t
	}
	if len(out) != len(w) {
		return nil
	}
	return out
}

// Fit returns w under the names of the architecture, and the scheme of names that w had where that is another, such as
// "OpenMix's wide residual networks"; tensors are shared with w. Known are the names that pytorchcv and OpenMix give to
// the same wide residual networks and residual networks with activation before convolution, and those of files that
// torchvision itself renames. Where none fits, it returns the error of w's own names.
func Fit(a *nets.Arch, w nets.Weights) (fitting nets.Weights, scheme string, err error) {
	err = a.Check(w)
	if err == nil {
		return w, "", nil
	}
	for _, s := range schemes {
		if other := renamed(s, w); other != nil && a.Check(other) == nil {
			return other, s.name, nil
		}
	}
	return nil, "", err
}
